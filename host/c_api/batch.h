#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <gallop/host/c_api/handles.h>
#include <gallop/host/runtime/environments.h>

struct gallop_batch {
  std::shared_ptr<gallop::c_api::Device> device;
  gallop::Environments environments;
  bool checks_actions;
  // What a step leaves before it goes to the caller's layout, made where it is first wanted:
  gallop::DeviceArray<float> final_observation;  // [O, N]
  gallop::DeviceArray<float> terms;              // [n_terms, N]
  gallop::DeviceArray<std::uint8_t> flags;       // [2, N]
  std::vector<std::byte> snapshot;               // the last one
};
