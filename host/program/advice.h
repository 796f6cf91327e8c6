// What to say to a person who uses a word or a flag of another program, or ours in another place.
#pragma once

#include <span>
#include <string>

#include <gallop/host/program/command_line.h>

namespace gallop {

// Behind "unknown argument '--gpu' of gallop train": ": that is --device cuda", or an empty text.
std::string advice_on_flag(const Command& command, const std::string& name);

// ": did you mean '--seed'?", or an empty text.
std::string nearest_flags(const Command& command, const std::string& name);

// Behind "unexpected 'ppo' behind 'gallop train'".
std::string advice_on_word(const Command& command, const std::string& word);

// Behind "unknown command 'cartpole'".
std::string advice_on_command(const std::string& word);

// Where a name of another kind was expected: what the word is, or an empty text.
std::string advice_on_name(const std::string& word);
// Throws a usage error with that advice for a word that is no `kind` ("study") and something else.
void refuse_other_name(const char* kind, const std::string& word,
                       std::span<const std::string> names);

// Where nothing bears the name: ": the nearest name is 'helicopter', ...", or an empty text.
std::string advice_on_near_name(const std::string& word);

// An answer as a sentence: with a full stop, but behind a question.
std::string sentence(const std::string& answer);

// Whether the word behind gallop list is that for one of its sections.
bool asks_for_all(const std::string& word);

// Where a command ("train") takes an environment: what else the word is, or an empty text.
std::string advice_on_environment(const std::string& command, const std::string& word);
// Throws a usage error with that advice where there is some for a word that is no environment.
void refuse_no_environment(const std::string& command, const std::string& word);

// Where a command takes the folder of a run: what else the word is, or an empty text.
std::string advice_on_run(const std::string& command, const std::string& word);

}  // namespace gallop
