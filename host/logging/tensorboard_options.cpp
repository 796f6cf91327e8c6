// A run's options for TensorBoard's table of hyperparameters
// (tensorboard/plugins/hparams/plugin_data.proto, api.proto, metadata.py).
#include <gallop/host/logging/tensorboard.h>

namespace gallop {
namespace {

enum Field : uint32_t {
  kSummaryValue = 1,
  kValueTag = 1,
  kValueTensor = 8,
  kValueMetadata = 9,
  kMetadataPluginData = 1,
  kPluginName = 1,
  kPluginContent = 2,
  kTensorType = 1,
  kTensorShape = 2,
  kShapeDimension = 2,
  kDataSessionStart = 3,
  kDataSessionEnd = 4,
  kStartOptions = 1,
  kStartTime = 5,
  kEndStatus = 1,
  kEndTime = 2,
  kMapKey = 1,
  kMapValue = 2,
  kNumber = 2,  // of google.protobuf.Value
  kText = 3,
  kBoolean = 4,
};
constexpr uint64_t kFloat = 1;    // DT_FLOAT
constexpr uint64_t kSuccess = 1;  // STATUS_SUCCESS

ProtobufMessage value_of(const Options& options, const OptionSpec& row) {
  ProtobufMessage value;
  switch (row.type) {
    case OptionType::integer:
      value.add_double(kNumber, static_cast<double>(options.integer(row.name)));
      break;
    case OptionType::real:
      value.add_double(kNumber, options.real(row.name));
      break;
    case OptionType::boolean:
      value.add_integer(kBoolean, options.flag(row.name) ? 1 : 0);
      break;
    default:
      value.add_bytes(kText, options.value_text(row.name));
  }
  return value;
}

// A summary of a value that has no number, only data for the plugin. Readers want a tensor all the
// same: floats, none of them.
ProtobufMessage plugin_summary(std::string_view tag, uint32_t kind, const ProtobufMessage& info) {
  ProtobufMessage data, plugin, metadata, dimension, shape, tensor, value, summary;
  data.add_message(kind, info);
  plugin.add_bytes(kPluginName, "hparams");
  plugin.add_message(kPluginContent, data);
  metadata.add_message(kMetadataPluginData, plugin);
  shape.add_message(kShapeDimension, dimension);
  tensor.add_integer(kTensorType, kFloat);
  tensor.add_message(kTensorShape, shape);
  value.add_bytes(kValueTag, tag);
  value.add_message(kValueTensor, tensor);
  value.add_message(kValueMetadata, metadata);
  summary.add_message(kSummaryValue, value);
  return summary;
}

}  // namespace

void TensorBoardLog::begin_session(const Options& options) {
  ProtobufMessage start;
  for (const OptionSpec& row : options.rows()) {
    ProtobufMessage entry;
    entry.add_bytes(kMapKey, row.name);
    entry.add_message(kMapValue, value_of(options, row));
    start.add_message(kStartOptions, entry);
  }
  start.add_double(kStartTime, clock_());
  write_summary(0, plugin_summary("_hparams_/session_start_info", kDataSessionStart, start));
}

void TensorBoardLog::end_session() {
  ProtobufMessage end;
  end.add_integer(kEndStatus, kSuccess);
  end.add_double(kEndTime, clock_());
  write_summary(0, plugin_summary("_hparams_/session_end_info", kDataSessionEnd, end));
}

}  // namespace gallop
