#pragma once

#include <string>

#include <gallop/host/export/portable_policy.h>

namespace gallop {

// The policy's numbers as NumPy's archive of arrays (a ZIP file without compression, of version-1
// .npy files), which numpy.load reads without pickle:
//
//   weight_0 [O, H], bias_0 [H], ...  of each layer, or table [states, outputs]
//   log_std [A]                       where the head has it beside the network
//   mean [O], inverse_std [O], limit  where observations are normalised
//   action_low [A], action_high [A]   where the environment is known; float64
//   metadata                          metadata_text, a text
//
// All but the bounds and the metadata are float32. Equal policies give equal bytes. Throws a value
// error for numbers that are not finite, and for 4 GiB or more.
//
// Source: PKWARE's APPNOTE 6.3 and NumPy's NEP 1.
std::string to_npz(const PortablePolicy& policy);

}  // namespace gallop
