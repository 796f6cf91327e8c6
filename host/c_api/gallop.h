/* Gallop in C: batches of environments, policies and training runs behind opaque handles.
 *
 * Results.  A function that can fail returns a gallop_status as an int, 0 for success. Then
 * gallop_last_error() has the text: what was wrong, the value that it had, what was expected. A
 * call that fails has changed nothing, unless it says so. No function throws, prints, exits, or
 * installs a handler of signals.
 *
 * Structs.  Every struct begins with its size, which the caller sets: a later library adds members
 * at the end and fills in what an earlier caller's struct lacks. Zero is the default of every
 * member of an options struct, so `gallop_batch_options o = {.size = sizeof o};` asks for nothing
 * special.
 *
 * Memory.  Arrays are the caller's, in the backend's memory, and need to live for the call alone;
 * results of a CUDA backend are there when its stream has come so far. What a function returns by
 * `const char **` and the like is the library's, and lives as its comment says.
 *
 * Threads.  Handles know their backend, and a backend serves one caller at a time: a second one
 * gets GALLOP_BUSY at once. Different backends know nothing of each other. Handles may be destroyed
 * in any order; destroying NULL does nothing.
 *
 * One header, since C programs copy it: longer than other files.
 *
 * N instances, T steps, O rows of an observation (1 where it is an index), A rows of an action (1
 * where actions are discrete), S components of a state, P parameters of the environment.
 */
#ifndef GALLOP_H
#define GALLOP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define GALLOP_API __attribute__((visibility("default")))
#else
#define GALLOP_API
#endif

/* Another major number is another interface: libgallop.so.MAJOR. Minor ones add to it. */
#define GALLOP_ABI_MAJOR 0
#define GALLOP_ABI_MINOR 2
#define GALLOP_ABI_VERSION (((uint32_t)GALLOP_ABI_MAJOR << 16) | (uint32_t)GALLOP_ABI_MINOR)

/* The numbers of the program's exit codes. */
typedef enum gallop_status {
  GALLOP_OK = 0,
  GALLOP_INTERNAL = 1,     /* a broken promise inside the library: a defect */
  GALLOP_USAGE = 2,        /* an unknown environment, algorithm, option or parameter */
  GALLOP_VALUE = 3,        /* a value out of range, a wrong shape, a null pointer, no memory left */
  GALLOP_CHECKPOINT = 4,   /* a checkpoint or snapshot that is damaged, or of something else */
  GALLOP_IO = 5,           /* disk full, permission, no thread left */
  GALLOP_PROCESSOR = 6,    /* no AVX2 and FMA */
  GALLOP_CUDA = 7,         /* CUDA was asked for and is not there, or failed */
  GALLOP_NON_FINITE = 8,   /* a number that is not finite, where that ends a run */
  GALLOP_BUSY = 9,         /* another call is at work on the backend */
  GALLOP_INTERRUPTED = 130 /* a callback asked to stop in the middle of it */
} gallop_status;

/* ---- Versions and errors -------------------------------------------------------------------- */

/* That of the library, to be compared with the header's GALLOP_ABI_VERSION. */
GALLOP_API uint32_t gallop_abi_version(void);
/* GALLOP_VALUE unless a program that was compiled with `header`, its GALLOP_ABI_VERSION, can use
 * this library: the same major number, and no newer minor one. */
GALLOP_API int gallop_check_abi(uint32_t header);
GALLOP_API const char* gallop_version(void); /* "0.1.0" */
/* One JSON object: version, abi, compiler, build, cuda (whether compiled in), isa (null on a
 * processor that has none of the compiled ones). Lives for ever. */
GALLOP_API const char* gallop_build_info(void);
/* Of the last call of this thread that failed: its text, "" for none, until the next one that fails
 * here; and its code. */
GALLOP_API const char* gallop_last_error(void);
GALLOP_API int gallop_last_error_code(void);

/* ---- Arrays --------------------------------------------------------------------------------- */

/* DLPack's type code << 8 | bits. */
typedef enum gallop_dtype {
  GALLOP_INT32 = (0 << 8) | 32,
  GALLOP_INT64 = (0 << 8) | 64,
  GALLOP_UINT8 = (1 << 8) | 8,
  GALLOP_FLOAT32 = (2 << 8) | 32,
  GALLOP_BOOL = (6 << 8) | 8
} gallop_dtype;

/* DLPack's device types. */
typedef enum gallop_device_type {
  GALLOP_DEVICE_CPU = 1,
  GALLOP_DEVICE_CUDA = 2
} gallop_device_type;

typedef struct gallop_array {
  uint32_t size;
  int32_t dtype;       /* gallop_dtype */
  void* data;          /* aligned as its elements are */
  int32_t device_type; /* gallop_device_type, or 0: that of the backend, unchecked */
  int32_t device_id;
  int32_t ndim;           /* 1 or 2 */
  int32_t reserved;       /* 0 */
  const int64_t* shape;   /* [ndim] instances first */
  const int64_t* strides; /* [ndim] in elements; NULL for contiguous rows */
} gallop_array;

/* ---- Backends ------------------------------------------------------------------------------- */

typedef struct gallop_backend gallop_backend;

typedef struct gallop_backend_options {
  uint32_t size;
  int32_t threads;    /* of the CPU, up to 4096; 0 for all processors of this process */
  const char* device; /* "cpu" (where NULL), "cuda", "cuda:1", or "auto" */
  void* stream;       /* a cudaStream_t of that device; NULL for one of the backend's own */
  void (*note)(void* user, const char* text); /* what it finds out about the device, warnings */
  void* user;
} gallop_backend_options;

/* `options` may be NULL, here and below. Equal bits for any device and number of threads. */
GALLOP_API int gallop_backend_create(const gallop_backend_options* options,
                                     gallop_backend** backend);
GALLOP_API void gallop_backend_destroy(gallop_backend* backend);
GALLOP_API const char* gallop_backend_name(const gallop_backend* backend); /* "cpu" or "cuda" */
/* The cudaStream_t that its operations are put on; NULL on the CPU, whose operations are done when
 * they return. gallop_synchronize waits for it. */
GALLOP_API void* gallop_backend_stream(const gallop_backend* backend);
GALLOP_API int gallop_synchronize(gallop_backend* backend);

/* Memory of the backend, aligned to 64 bytes, undefined contents. On the CPU any memory will do. */
GALLOP_API int gallop_allocate(gallop_backend* backend, size_t bytes, void** memory);
GALLOP_API int gallop_free(gallop_backend* backend, void* memory);
typedef enum gallop_direction {
  GALLOP_TO_DEVICE = 0, /* from the host */
  GALLOP_TO_HOST = 1,   /* waits */
  GALLOP_WITHIN = 2     /* within the backend's memory */
} gallop_direction;
GALLOP_API int gallop_copy(gallop_backend* backend, void* to, const void* from, size_t bytes,
                           int direction);

/* ---- Environments and algorithms ------------------------------------------------------------ */

typedef enum gallop_space { GALLOP_BOX = 0, GALLOP_DISCRETE = 1 } gallop_space;

typedef struct gallop_component {
  const char* name;
  double low, high;
} gallop_component;

typedef struct gallop_parameter {
  const char* name;
  double value, low, high; /* its default and its range */
  const char *unit, *help;
  int32_t whole; /* takes whole numbers alone */
  int32_t reserved;
} gallop_parameter;

typedef struct gallop_spec {
  uint32_t size;
  int32_t time_limit; /* steps, 0 for none */
  const char* name;
  const char* aliases;     /* separated by commas */
  const char* source;      /* what it reproduces, with version */
  double reward_threshold; /* NaN where the reference names none */
  double time_step;        /* seconds between two steps, 0 where there is no such number */
  int32_t observation_kind, action_kind; /* gallop_space */
  int32_t observation_size, action_size; /* components, or the number of states or actions, with the
                                            default parameters */
  int32_t observation_capacity, action_capacity; /* the most of them for any parameters */
  const gallop_component* observation;           /* [observation_capacity], NULL for an index */
  const gallop_component* action;                /* [action_capacity], NULL for discrete actions */
  int32_t n_state, n_terms, n_parameters;
  int32_t table_capacity;             /* floats of a shared table, 0 for none */
  const char* const* state_names;     /* [n_state] */
  const char* const* term_names;      /* [n_terms] of what a step tells beside its reward */
  const gallop_parameter* parameters; /* [n_parameters] */
} gallop_spec;

/* Names of what the library holds, i from 0; NULL behind the last one. */
GALLOP_API const char* gallop_environment_name(size_t i);
GALLOP_API const char* gallop_algorithm_name(size_t i);
/* By name or alias, capitals and hyphens aside. Specifications live for ever. */
GALLOP_API int gallop_environment_spec(const char* name, const gallop_spec** spec);
/* Loads a plugin, which gallop_add_plugin() of the CMake package makes of a header with an
 * environment, and registers its environments for every function below. It stays loaded.
 * GALLOP_USAGE where it cannot be loaded, is no plugin, was built for another Gallop, or where a
 * name is taken. */
GALLOP_API int gallop_load_plugin(const char* path);

/* What a description of a tabular Markov decision process says (the file that the parameter `file`
 * of the environment mdp names): its parameters n_states and n_actions, the steps until truncation,
 * 0 for none, and its shared table for gallop_batch_set_table; n is the specification's
 * table_capacity. */
typedef struct gallop_mdp {
  uint32_t size;
  int32_t n_states, n_actions, horizon;
} gallop_mdp;
GALLOP_API int gallop_read_mdp(const char* text, gallop_mdp* mdp, float* table, size_t n);

/* ---- Batches of environments ---------------------------------------------------------------- */

typedef struct gallop_batch gallop_batch;
typedef struct gallop_policy gallop_policy;

/* When an instance whose episode ended begins the next one. */
typedef enum gallop_autoreset {
  GALLOP_NEXT_STEP = 0, /* by the next step, which ignores its action and gives reward 0 */
  GALLOP_SAME_STEP = 1, /* within the step that ended it: its observation is the new episode's */
  GALLOP_DISABLED = 2   /* by gallop_batch_reset_where alone; until then it stands still */
} gallop_autoreset;

typedef struct gallop_batch_options {
  uint32_t size;
  int32_t n_envs;      /* N; 0 for 1 */
  uint64_t seed;       /* below 2^56 */
  const uint32_t* ids; /* [N] on the host: what instance i draws its random numbers by, beside the
                          seed; NULL for id_offset + i */
  uint32_t id_offset;
  int32_t time_limit; /* steps; 0 for the environment's own, -1 for none */
  int32_t autoreset;  /* gallop_autoreset */
  int32_t no_clip;    /* continuous actions are not limited to the action space's bounds */
  /* On the CPU a step looks at its actions first: one that is not finite or no action is
   * GALLOP_VALUE, names its instance, and changes nothing. Not 0: no look; as on CUDA, such an
   * instance gets the reward NaN, and gallop_batch_nonfinite tells. */
  int32_t unchecked_actions;
  int32_t reserved;
} gallop_batch_options;

typedef struct gallop_batch_info {
  uint32_t size;
  int32_t n_envs;
  int32_t observation_kind, action_kind; /* gallop_space */
  int32_t observation_size, action_size; /* components, or the number of states or actions */
  int32_t observation_rows, action_rows; /* O and A: numbers of one observation and one action */
  int32_t n_state, n_terms;
  int32_t time_limit; /* 0 for none */
  int32_t autoreset;
  uint64_t seed;
  uint32_t time; /* steps since it was made or seeded */
  int32_t started;
} gallop_batch_info;

GALLOP_API int gallop_batch_create(gallop_backend* backend, const char* environment,
                                   const gallop_batch_options* options, gallop_batch** batch);
GALLOP_API void gallop_batch_destroy(gallop_batch* batch);
GALLOP_API int gallop_batch_get_info(const gallop_batch* batch, gallop_batch_info* info);

/* Begins episode 0 of every instance; later the next episode of each. */
GALLOP_API int gallop_batch_reset(gallop_batch* batch);
/* Begins everything anew under this seed, as a batch that was just made with it. */
GALLOP_API int gallop_batch_reset_seed(gallop_batch* batch, uint64_t seed);
/* Begins episode 0 of the instances where mask [n] is not 0 (NULL: of all), each with a seed of its
 * own below 2^31: instances of equal seeds live alike. Host memory; n is N. */
GALLOP_API int gallop_batch_reset_seeds(gallop_batch* batch, const uint64_t* seeds,
                                        const uint8_t* mask, size_t n);
/* Begins the next episode where mask [N], bytes or bools, is not 0. */
GALLOP_API int gallop_batch_reset_where(gallop_batch* batch, const gallop_array* mask);
/* Observations now: float32 [N, O] of any strides, or an index [N] or [N, 1] as int64, int32 or
 * float32. Changes nothing. */
GALLOP_API int gallop_batch_observe(gallop_batch* batch, const gallop_array* observation);

typedef struct gallop_step_output {
  uint32_t size;
  uint32_t reserved;
  /* NULL for what is not wanted. Observations and terms take any strides, the others are [N] and
   * contiguous. */
  const gallop_array* observation;       /* [N, O] after any reset */
  const gallop_array* final_observation; /* [N, O] before it: written where an episode ended, the
                                            other rows are undefined */
  const gallop_array* reward;            /* float32 [N] */
  const gallop_array* terminated;        /* bool or uint8 [N] */
  const gallop_array* truncated;         /* both flags may be set */
  const gallop_array* episode_return;    /* float32 [N], written where an episode ended */
  const gallop_array* episode_length;    /* int32 [N], likewise */
  const gallop_array* terms;             /* float32 [N, n_terms] */
  int64_t n_ended; /* out: how many episodes ended; -1 on CUDA, where nothing waits for it */
} gallop_step_output;

/* One step. Actions are float32 [N, A] of any strides, or discrete ones as int64, int32 or float32
 * [N] or [N, 1]. */
GALLOP_API int gallop_batch_step(gallop_batch* batch, const gallop_array* action,
                                 gallop_step_output* output);

/* What a rollout records, time first and instances contiguous; NULL for what is not wanted. */
typedef struct gallop_trajectory {
  uint32_t size;
  int32_t n_steps;          /* T */
  float* observation;       /* [T + 1, O, N] row t is what the policy saw */
  float* action;            /* [T, A, N] as the policy gave it, unclipped */
  float* log_prob;          /* [T, N] of that action */
  float* reward;            /* [T, N] */
  uint8_t* terminated;      /* [T, N] */
  uint8_t* truncated;       /* [T, N] */
  float* final_observation; /* [T, O, N] written where an episode ended; beside observation */
  float* episode_return;    /* [T, N] likewise */
  int32_t* episode_length;  /* [T, N] likewise */
  float* state;             /* [T + 1, S, N] */
} gallop_trajectory;

/* T fused steps under a policy of the same backend, whose actions are drawn, or where
 * `deterministic` the most probable ones; or, where `policy` is NULL, under uniformly random ones.
 */
GALLOP_API int gallop_batch_rollout(gallop_batch* batch, const gallop_policy* policy,
                                    int deterministic, const gallop_trajectory* trajectory);

/* Named parameters: one value for all, or values [n] of the instances, n being N, on the host. They
 * take effect at the next step; sizes can be set before the first reset alone. */
GALLOP_API int gallop_batch_set_parameter(gallop_batch* batch, const char* name, double value);
GALLOP_API int gallop_batch_set_parameters(gallop_batch* batch, const char* name,
                                           const float* values, size_t n);
GALLOP_API int gallop_batch_get_parameters(const gallop_batch* batch, const char* name,
                                           float* values, size_t n);
/* Has every episode draw the parameter anew, uniform from `low` to `high`, or where `logarithmic`
 * is not 0 with a logarithm that is; a whole number among those. From the next step on, also in the
 * present episodes: what is drawn is a function of seed, id and number of the episode, on every
 * device. It is read by gallop_batch_get_parameters, and cannot be set meanwhile. GALLOP_VALUE for
 * a range that the parameter cannot have. Stopped, for one parameter or where `name` is NULL for
 * all, instances have the values from before. */
GALLOP_API int gallop_batch_randomize(gallop_batch* batch, const char* name, double low,
                                      double high, int logarithmic);
GALLOP_API int gallop_batch_stop_randomizing(gallop_batch* batch, const char* name);
/* What a parameter is drawn from: kind becomes 0 where it is not, and nothing else is written then, 1
 * where it is uniform, 2 where its logarithm is. */
GALLOP_API int gallop_batch_get_range(const gallop_batch* batch, const char* name, int* kind,
                                      double* low, double* high);
/* The shared table of an environment that has one, n being the specification's table_capacity. */
GALLOP_API int gallop_batch_set_table(gallop_batch* batch, const float* table, size_t n);
/* States [S, N] on the host, in the order of the specification's names; n is S * N. Set, they keep
 * the episodes' numbers, and begin their time and return at 0. */
GALLOP_API int gallop_batch_get_state(const gallop_batch* batch, float* state, size_t n);
GALLOP_API int gallop_batch_set_state(gallop_batch* batch, const float* state, size_t n);

/* What the batch keeps, in the backend's memory, for reading; written by every call that runs it.
 * The places stay the same for the life of the batch. */
typedef struct gallop_batch_buffers {
  uint32_t size;
  uint32_t reserved;
  int64_t stride;                /* component k of instance i of a state: k * stride + i */
  const float* state;            /* [S, stride] */
  const uint8_t* ended;          /* [N] its episode ended and the next has not begun */
  const float* episode_return;   /* [N] so far */
  const int32_t* episode_length; /* [N] likewise */
  const uint32_t* episode;       /* [N] its number, from 0 */
} gallop_batch_buffers;
GALLOP_API int gallop_batch_get_buffers(const gallop_batch* batch, gallop_batch_buffers* buffers);

/* The whole batch as bytes on the host, from which it goes on bit for bit: states, counters,
 * parameters, table, seeds. They live until the next snapshot of the batch, or its end. A snapshot
 * is taken back by any batch of the same environment, N and autoreset, on any device;
 * GALLOP_CHECKPOINT for another one and for bytes that are none. */
GALLOP_API int gallop_batch_snapshot(gallop_batch* batch, const void** data, size_t* bytes);
GALLOP_API int gallop_batch_restore(gallop_batch* batch, const void* data, size_t bytes);

typedef struct gallop_nonfinite {
  uint32_t size;
  int32_t found;
  uint32_t instance; /* its id */
  uint32_t time;     /* the step, counted from 1 */
} gallop_nonfinite;
/* The first instance that met a number which is not finite. Waits. */
GALLOP_API int gallop_batch_get_nonfinite(const gallop_batch* batch, gallop_nonfinite* nonfinite);

/* Draws an instance as it stands, as `gallop render` draws it: pixels [height, width, 3] on the
 * host, red, green, blue from the upper left corner; 16 to 4096 each way, n numbers in all. Waits.
 */
GALLOP_API int gallop_batch_draw(const gallop_batch* batch, int32_t instance, int32_t width,
                                 int32_t height, uint8_t* pixels, size_t n);

/* ---- Policies ------------------------------------------------------------------------------- */

typedef enum gallop_network { GALLOP_MLP = 0, GALLOP_TABULAR = 1 } gallop_network;
typedef enum gallop_activation {
  GALLOP_TANH = 0,
  GALLOP_RELU = 1,
  GALLOP_IDENTITY = 2
} gallop_activation;
typedef enum gallop_head {
  GALLOP_CATEGORICAL = 0,
  GALLOP_GAUSSIAN = 1,         /* log sigma [A] stands behind the network's parameters */
  GALLOP_GAUSSIAN_NETWORK = 2, /* outputs are the means [A], then log sigma [A] */
  GALLOP_DETERMINISTIC = 3,
  /* Of bounded actions, centre + half tanh(.): half [A] and centre [A] stand behind the network's
   * parameters; and of the last one the deviations [A] of its noise in units of half. */
  GALLOP_SQUASHED_GAUSSIAN = 4, /* outputs are the means [A], then log sigma [A] */
  GALLOP_SQUASHED_DETERMINISTIC = 5
} gallop_head;

/* Parameters [n_parameters]: for each layer of an MLP the weights [inputs, outputs], then the
 * biases [outputs]; a table has a row [outputs] for each state. Observations are first normalised
 * to clamp((x - mean) * inverse_std, +-limit), where there is a mean. */
typedef struct gallop_policy_options {
  uint32_t size;
  int32_t network, activation,
      head;                /* gallop_network, gallop_activation (hidden layers), gallop_head */
  int32_t n_actions;       /* actions, or components of one */
  int32_t n_layers;        /* affine maps: 1 is linear */
  const int32_t* widths;   /* [n_layers + 1] inputs (states of a table) ... outputs */
  const float* parameters; /* [n_parameters] on the host */
  size_t n_parameters;
  const float *mean, *inverse_std; /* [widths[0]] on the host, or NULL both */
  float limit;
  /* Not 0, with `parameters` NULL: those that a run of this seed begins with, every log sigma being
   * log_std. */
  int32_t initial;
  uint64_t seed; /* below 2^56 */
  float log_std;
  int32_t reserved;
  const char* environment; /* that it is for, whose names and bounds its exports have; or NULL */
} gallop_policy_options;

/* The newest good checkpoint of a run's folder, one checkpoint file, or the .safetensors file of
 * gallop_policy_export; nothing else of a learner is made. */
GALLOP_API int gallop_policy_load(gallop_backend* backend, const char* path,
                                  gallop_policy** policy);
GALLOP_API int gallop_policy_create(gallop_backend* backend, const gallop_policy_options* options,
                                    gallop_policy** policy);
GALLOP_API void gallop_policy_destroy(gallop_policy* policy);

typedef struct gallop_policy_info {
  uint32_t size;
  int32_t network, activation, head, n_actions, n_layers;
  const int32_t* widths; /* [n_layers + 1] */
  size_t n_parameters;
  int32_t normalizes; /* whether it has a mean and an inverse_std [widths[0]] */
  float limit;
  const char *environment, *algorithm; /* of the run that it is from; NULL where there is none */
  const char* checkpoint;              /* the file that it was loaded from, likewise */
  uint64_t steps;                      /* that it has learnt from */
  /* [n_actions] bounds of continuous actions in its environment, infinite where there are none;
   * NULL where the environment is not known, and for discrete actions. */
  const double *action_low, *action_high;
} gallop_policy_info;
/* Its pointers live as long as the policy. */
GALLOP_API int gallop_policy_get_info(const gallop_policy* policy, gallop_policy_info* info);
/* Copies from and to the host; n is n_parameters, and widths[0]. Parameters have to be finite. */
GALLOP_API int gallop_policy_get_parameters(const gallop_policy* policy, float* parameters,
                                            size_t n);
GALLOP_API int gallop_policy_set_parameters(gallop_policy* policy, const float* parameters,
                                            size_t n);
GALLOP_API int gallop_policy_get_normalization(const gallop_policy* policy, float* mean,
                                               float* inverse_std, size_t n);

/* Writes the policy as a file for other programs, over one that is there: format "onnx", "c" (one
 * header in C99), "npz" or "safetensors" (read by gallop_policy_load), or NULL: by the ending of
 * the path, .onnx, .h, .npz or .safetensors. Each takes observations as the environment gives them,
 * and has the action that gallop_evaluate takes, limited to the environment's bounds. */
GALLOP_API int gallop_policy_export(const gallop_policy* policy, const char* path,
                                    const char* format);

typedef struct gallop_act_options {
  uint32_t size;
  int32_t sample;     /* 0: the most probable action, or the mean */
  uint64_t seed;      /* below 2^56 */
  uint32_t id_offset; /* observation i is drawn for by the id id_offset + i, */
  uint32_t episode;   /* this episode */
  uint32_t step;      /* and this step of it: a rollout draws the same action there; */
  uint32_t reserved;
  const uint32_t *ids, *episodes, *steps; /* or by [n] of them on the host, where not NULL */
} gallop_act_options;

/* Actions for any observations, outside a rollout, with the bits of a rollout: observation [n, O]
 * and action [n, A] of any strides and types as in a step, unclipped; log_prob float32 [n], or
 * NULL. */
GALLOP_API int gallop_policy_act(gallop_policy* policy, const gallop_array* observation,
                                 const gallop_act_options* options, const gallop_array* action,
                                 const gallop_array* log_prob);

/* ---- Training and evaluation ---------------------------------------------------------------- */

/* What a run is to do: the options of `gallop train`, by their names. */
typedef struct gallop_options gallop_options;

/* `algorithm` NULL: the default one. With the settings that ship for the task. */
GALLOP_API int gallop_options_create(const char* environment, const char* algorithm,
                                     gallop_options** options);
GALLOP_API int gallop_options_from_run(const char* folder, gallop_options** options);
GALLOP_API void gallop_options_destroy(gallop_options* options);
/* One option or parameter of the environment, its value as text; and a TOML document of them. */
GALLOP_API int gallop_options_set(gallop_options* options, const char* name, const char* value);
GALLOP_API int gallop_options_apply(gallop_options* options, const char* toml);
/* All of them as TOML. Lives until the next such call, or the options' end. */
GALLOP_API int gallop_options_get_toml(gallop_options* options, const char** toml);

/* All of them as JSON: an array of objects with name, type ("integer", "real", "boolean", "text",
 * "choice", "integers"), value, default, origin, help, and where there are some low, high, choices
 * and unit. Lives likewise. */
GALLOP_API int gallop_options_get_json(gallop_options* options, const char** json);

typedef struct gallop_progress {
  uint32_t size;
  uint32_t reserved;
  uint64_t steps;
  double mean_return; /* of the episodes that ended lately; NaN where none did */
  double seconds;     /* of training */
} gallop_progress;

/* None may call the library with handles of the same backend. */
typedef struct gallop_callbacks {
  uint32_t size;
  uint32_t reserved;
  void* user;
  /* After each iteration; not 0 asks to stop. */
  int (*progress)(void* user, const gallop_progress* progress);
  /* Looked at within an iteration, from any thread; not 0 gives it up: the state that it began with
   * is kept. */
  int (*stop_now)(void* user);
  void (*warn)(void* user, const char* text);
} gallop_callbacks;

typedef struct gallop_result {
  uint32_t size;
  int32_t finished; /* 0: stopped on request, with a checkpoint of these steps */
  int32_t reached_stop_return;
  int32_t finished_before; /* there was nothing to resume: see result.json of the folder */
  uint64_t steps, iterations, nonfinite_instances;
  double train_seconds;
  double mean_return, std_return, mean_length; /* of the last evaluation, where finished */
  int64_t episodes;
  char bits[24];              /* hash of what was learnt; "" where an iteration was given up */
  int32_t reached_time_limit; /* stopped by the option time_limit, not finished */
  int32_t has_best;           /* there were evaluations during training: of the best one */
  double best_mean_return;    /* the mean return */
  uint64_t best_step;         /* and the step; its checkpoint is best.safetensors in the folder */
} gallop_result;

/* A training run in a new folder, with the bits and the files of `gallop train`, on this backend
 * whatever the options say of device and threads. GALLOP_VALUE where the folder exists. */
GALLOP_API int gallop_train(gallop_backend* backend, const gallop_options* options,
                            const char* folder, const gallop_callbacks* callbacks,
                            gallop_result* result);
/* Goes on with a run that was stopped or killed, to the bits of an uninterrupted one. */
GALLOP_API int gallop_resume(gallop_backend* backend, const char* folder,
                             const gallop_callbacks* callbacks, gallop_result* result);
/* The same with other options: those of gallop_options_from_run, with more `steps`, so that a run
 * goes on beyond its end (what falls linearly over a run then does so over all of the new steps),
 * or another time_limit, log_interval or keep. GALLOP_VALUE for any other difference. */
GALLOP_API int gallop_resume_with(gallop_backend* backend, const char* folder,
                                  const gallop_options* options, const gallop_callbacks* callbacks,
                                  gallop_result* result);

typedef struct gallop_evaluate_options {
  uint32_t size;
  int32_t episodes;              /* 0 for 100 */
  uint64_t seed;                 /* below 2^56 */
  int32_t sample;                /* draws actions instead of taking the most probable one */
  int32_t skips_nonfinite;       /* leaves out episodes that meet a number which is not finite */
  int64_t max_steps;             /* of an episode without a time limit; 0 for 100000 */
  const char* const* parameters; /* [n_parameters] "name=value" of the environment */
  size_t n_parameters;
  double* returns;  /* [capacity] on the host, or NULL */
  int64_t* lengths; /* likewise */
  size_t capacity;  /* at least `episodes` */
} gallop_evaluate_options;

typedef struct gallop_evaluation {
  uint32_t size;
  uint32_t reserved;
  int64_t episodes, nonfinite; /* those that count, and those that were left out */
  double mean, std, mean_length;
} gallop_evaluation;

/* Plays whole episodes. `environment` NULL: that of the run which the policy is from, with that
 * run's parameters. */
GALLOP_API int gallop_evaluate(gallop_backend* backend, const gallop_policy* policy,
                               const char* environment, const gallop_evaluate_options* options,
                               gallop_evaluation* evaluation);

/* ---- Estimates of recorded rollouts ---------------------------------------------------------- */

/* Arrays of float32 and bytes in the backend's memory, time first and instances contiguous. Element
 * t belongs to transition t. */
typedef struct gallop_recorded {
  uint32_t size;
  int32_t n_steps, n_envs;               /* T and N */
  float gamma, lambda;                   /* from 0 to 1 */
  const float* reward;                   /* [T, N] */
  const uint8_t *terminated, *truncated; /* [T, N] */
  const float* value;       /* [T + 1, N] of the observations; of gallop_returns the last row alone
                               counts, and NULL is all 0 */
  const float* final_value; /* [T, N] of the observation that an episode was truncated with, read
                               there alone; NULL is all 0 */
} gallop_recorded;
/* Generalised advantage estimation: advantage [T, N], and where not NULL target [T, N], the
 * advantage plus the value. */
GALLOP_API int gallop_gae(gallop_backend* backend, const gallop_recorded* recorded,
                          float* advantage, float* target);
/* Discounted returns [T, N] from each step on, to the end of its episode or of the rollout. */
GALLOP_API int gallop_returns(gallop_backend* backend, const gallop_recorded* recorded,
                              float* returns);

/* ---- Black-box optimisation ------------------------------------------------------------------ */

/* Asks for points and is told how good each is: a pure function of what it was told. The greater,
 * the better: it maximises. */
typedef struct gallop_optimizer gallop_optimizer;

GALLOP_API const char* gallop_optimizer_name(size_t i); /* i from 0; NULL behind the last one */
/* `method` NULL: cma_es. The search begins at `initial` [n], finite numbers on the host; `options`
 * [n_options] are texts "name=value" of the method's own, as of `gallop optimize`. */
GALLOP_API int gallop_optimizer_create(gallop_backend* backend, const char* method,
                                       const double* initial, size_t n, uint64_t seed,
                                       const char* const* options, size_t n_options,
                                       gallop_optimizer** optimizer);
GALLOP_API void gallop_optimizer_destroy(gallop_optimizer* optimizer);

typedef struct gallop_optimizer_info {
  uint32_t size;
  int32_t population;               /* P, of the next generation */
  size_t dimension;                 /* D */
  uint64_t generation, evaluations; /* that it was told of */
  const char* method;
  const char* stop_reason; /* why going on is of no use; NULL where it is. Both live until the next
                              call with the optimizer */
} gallop_optimizer_info;
GALLOP_API int gallop_optimizer_get_info(gallop_optimizer* optimizer, gallop_optimizer_info* info);
/* The points [P, D] of this generation, the same until it is told of them; n is P * D. */
GALLOP_API int gallop_optimizer_ask(gallop_optimizer* optimizer, double* points, size_t n);
/* The fitness [P] of these points. GALLOP_VALUE where all are equal, which says nothing, of methods
 * that learn nothing from that; GALLOP_NON_FINITE where one is not finite. */
GALLOP_API int gallop_optimizer_tell(gallop_optimizer* optimizer, const double* fitness, size_t n);
/* Goes on to the next generation without learning from this one. */
GALLOP_API int gallop_optimizer_skip(gallop_optimizer* optimizer);
/* Where the search stands [D]. */
GALLOP_API int gallop_optimizer_get_center(gallop_optimizer* optimizer, double* center, size_t n);

#ifdef __cplusplus
}
#endif
#endif /* GALLOP_H */
