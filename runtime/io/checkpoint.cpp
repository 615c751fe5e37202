#include "io/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "pushforward/version.h"

namespace pushforward {
namespace {

constexpr const char* kKind = "pushforward checkpoint";
constexpr const char* kFormatVersion = "1";
constexpr const char* kState = "state/";
constexpr const char* kAveraged = "averaged/";
constexpr const char* kPreprocess = "preprocess/";
constexpr const char* kOptimizer = "optimizer/";
constexpr const char* kOptimizerNumbers = "optimizer_numbers/";
constexpr const char* kOptimizerStep = "optimizer_step/";

/// A parameter is stored column by column, an array of the file row by row.
template <class T>
Tensor parameter_tensor(const T* vector, const Parameter& p) {
  std::vector<T> elements;
  elements.reserve(static_cast<std::size_t>(p.size()));
  const Block<const T> block = compact(vector + p.offset, p.rows, p.columns);
  for (Index i = 0; i < p.rows; ++i)
    for (Index j = 0; j < p.columns; ++j) elements.push_back(block(i, j));
  return Tensor::of<T>({p.rows, p.columns}, elements);
}
template <class T>
void read_parameter(const Tensor& tensor, const Parameter& p, T* vector) {
  const std::span<const T> elements = tensor.elements<T>();
  const Block<T> block = compact(vector + p.offset, p.rows, p.columns);
  for (Index i = 0; i < p.rows; ++i)
    for (Index j = 0; j < p.columns; ++j) block(i, j) = elements[static_cast<std::size_t>(i * p.columns + j)];
}

template <class E>
Tensor list_tensor(std::span<const E> elements) {
  return Tensor::of<E>({static_cast<Index>(elements.size())}, elements);
}
template <class E>
std::span<const E> part(const std::vector<E>& whole, const State& state) {
  return std::span(whole).subspan(static_cast<std::size_t>(state.offset), static_cast<std::size_t>(state.size));
}

std::string describe(TensorType type, const std::vector<Index>& shape) {
  return fmt::format("{} [{}]", name_of(type), fmt::join(shape, ", "));
}

/// Collects what does not fit between a file and what is to be filled from it.
class Differences {
 public:
  Differences(const TensorFile& file, const std::string& name) : file_(file), name_(name) {}

  void expect(const std::string& name, TensorType type, const std::vector<Index>& shape) {
    expected_.push_back(name);
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end()) {
      lines_.push_back(fmt::format("'{}' is missing; the model needs {}", name, describe(type, shape)));
    } else if (found->second.type != type || found->second.shape != shape) {
      lines_.push_back(fmt::format("'{}' is {}; the model needs {}", name,
                                   describe(found->second.type, found->second.shape), describe(type, shape)));
    }
  }
  /// Every array whose name `belongs` must have been expected.
  template <class F>
  void refuse_others(F&& belongs) {
    std::sort(expected_.begin(), expected_.end());
    for (const auto& [name, tensor] : file_.tensors)
      if (belongs(name) && !std::binary_search(expected_.begin(), expected_.end(), name))
        lines_.push_back(fmt::format("'{}' ({}) is not in the model", name, describe(tensor.type, tensor.shape)));
  }
  void raise() const {
    if (lines_.empty()) return;
    throw CheckpointError(fmt::format("'{}' does not fit the model that its spec builds ({} difference{}):\n  {}",
                                      name_, lines_.size(), lines_.size() == 1 ? "" : "s", fmt::join(lines_, "\n  ")));
  }

 private:
  const TensorFile& file_;
  const std::string& name_;
  std::vector<std::string> expected_, lines_;
};

bool is_parameter(const std::string& name) { return name.find('/') == std::string::npos; }

template <class T>
void capture_training(const Training<T>& training, const Layout& layout, TensorFile& file) {
  for (std::size_t phase = 0; phase < training.optimizer_states.size(); ++phase) {
    const OptimizerState<T>& state = training.optimizer_states[phase];
    for (const auto& [name, array] : state.arrays)
      file.tensors[fmt::format("{}{}/{}", kOptimizer, phase, name)] = list_tensor<T>(array);
    for (const auto& [name, numbers] : state.numbers)
      file.tensors[fmt::format("{}{}/{}", kOptimizerNumbers, phase, name)] = list_tensor<double>(numbers);
    const std::int64_t step = state.step;
    file.tensors[fmt::format("{}{}", kOptimizerStep, phase)] = list_tensor<std::int64_t>(std::span(&step, 1));
  }
  if (training.averaged.empty()) return;
  for (const ParameterInfo& info : layout.parameters)
    file.tensors[kAveraged + info.path] = parameter_tensor(training.averaged.data(), info.handle);
}

}  // namespace

template <class T>
Checkpoint Checkpoint::capture(const Model<T>& model, const Training<T>* training,
                               const typename DataPipeline<T>::State* data, const std::string& spec,
                               std::int64_t step) {
  Checkpoint checkpoint;
  TensorFile& file = checkpoint.file_;
  for (const ParameterInfo& info : model.layout.parameters)
    file.tensors[info.path] = parameter_tensor(model.store.parameters.data(), info.handle);
  for (const StateInfo& info : model.layout.states)
    file.tensors[kState + info.path] = info.handle.integer ? list_tensor(part(model.store.integer_state, info.handle))
                                                           : list_tensor(part(model.store.real_state, info.handle));
  if (training) capture_training(*training, model.layout, file);
  file.metadata = {{"kind", kKind},
                   {"format_version", kFormatVersion},
                   {"toolkit_version", PUSHFORWARD_VERSION},
                   {"precision", std::is_same_v<T, double> ? "float64" : "float32"},
                   {"spec", spec},
                   {"step", fmt::format("{}", step)}};
  if (data) {
    file.metadata["columns"] = nlohmann::json(data->columns).dump();
    file.metadata["context_columns"] = nlohmann::json(data->context_columns).dump();
    file.metadata["data_rows"] = fmt::format("{}", data->rows);
    file.metadata["data_checksum"] = data->checksum;
    for (std::size_t i = 0; i < data->preprocess.size(); ++i)
      file.tensors[fmt::format("{}{}", kPreprocess, i)] = list_tensor<double>(data->preprocess[i]);
  }
  return checkpoint;
}

Checkpoint Checkpoint::read(const std::filesystem::path& path) {
  Checkpoint checkpoint;
  checkpoint.name_ = path.string();
  checkpoint.file_ = read_safetensors(path);
  checkpoint.check_metadata();
  return checkpoint;
}

void Checkpoint::write(const std::filesystem::path& path) const { write_safetensors(path, file_); }

const std::string& Checkpoint::metadata(const std::string& key) const {
  const auto found = file_.metadata.find(key);
  if (found == file_.metadata.end())
    throw CheckpointError(fmt::format("'{}' has no metadata '{}'; it is no checkpoint of pushforward", name_, key));
  return found->second;
}

void Checkpoint::check_metadata() const {
  if (metadata("kind") != kKind)
    throw CheckpointError(fmt::format("'{}' is a {}, not a checkpoint of pushforward", name_, metadata("kind")));
  if (metadata("format_version") != kFormatVersion)
    throw CheckpointError(fmt::format(
        "'{}' has checkpoint format {}, written by pushforward {}; this is pushforward {}, which reads format {}",
        name_, metadata("format_version"), metadata("toolkit_version"), PUSHFORWARD_VERSION, kFormatVersion));
  if (metadata("precision") != "float32" && metadata("precision") != "float64")
    throw CheckpointError(
        fmt::format("'{}' has precision '{}'; it must be float32 or float64", name_, metadata("precision")));
  metadata("spec");
  step();
}

const std::string& Checkpoint::spec() const { return metadata("spec"); }
const std::string& Checkpoint::toolkit_version() const { return metadata("toolkit_version"); }
bool Checkpoint::float64() const { return metadata("precision") == "float64"; }
bool Checkpoint::averaged() const {
  return std::any_of(file_.tensors.begin(), file_.tensors.end(),
                     [](const auto& entry) { return entry.first.rfind(kAveraged, 0) == 0; });
}

std::int64_t Checkpoint::step() const { return count("step"); }

std::int64_t Checkpoint::count(const std::string& key) const {
  const std::string& text = metadata(key);
  std::int64_t n = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size() || n < 0)
    throw CheckpointError(fmt::format("'{}' has {} '{}', which is no count", name_, key, text));
  return n;
}

template <class T>
std::optional<typename DataPipeline<T>::State> Checkpoint::data() const {
  if (!file_.metadata.contains("columns")) return std::nullopt;
  typename DataPipeline<T>::State state;
  try {
    state.columns = nlohmann::json::parse(metadata("columns")).get<std::vector<std::string>>();
    state.context_columns = nlohmann::json::parse(metadata("context_columns")).get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception& error) {
    throw CheckpointError(
        fmt::format("'{}' has column names that are no JSON list of texts ({})", name_, error.what()));
  }
  if (file_.metadata.contains("data_checksum")) {  // checkpoints before 0.1.0 have none
    state.rows = count("data_rows");
    state.checksum = metadata("data_checksum");
  }
  for (std::size_t i = 0; file_.tensors.contains(fmt::format("{}{}", kPreprocess, i)); ++i)
    state.preprocess.push_back(list<double>(fmt::format("{}{}", kPreprocess, i)));
  return state;
}

template <class T>
void Checkpoint::restore(Model<T>& model) const {
  Differences differences(file_, name_);
  for (const ParameterInfo& info : model.layout.parameters)
    differences.expect(info.path, kTensorType<T>, {info.handle.rows, info.handle.columns});
  for (const StateInfo& info : model.layout.states)
    differences.expect(kState + info.path, info.handle.integer ? TensorType::int64 : kTensorType<T>,
                       {info.handle.size});
  differences.refuse_others([](const std::string& name) { return is_parameter(name) || name.rfind(kState, 0) == 0; });
  differences.raise();

  for (const ParameterInfo& info : model.layout.parameters)
    read_parameter(file_.tensors.at(info.path), info.handle, model.store.parameters.data());
  for (const StateInfo& info : model.layout.states) {
    const Tensor& tensor = file_.tensors.at(kState + info.path);
    if (info.handle.integer)
      std::ranges::copy(tensor.elements<std::int64_t>(), model.store.integer_state.begin() + info.handle.offset);
    else
      std::ranges::copy(tensor.elements<T>(), model.store.real_state.begin() + info.handle.offset);
  }
}

template <class T>
std::vector<T> Checkpoint::averaged_parameters(const Layout& layout) const {
  if (!averaged()) return {};
  Differences differences(file_, name_);
  for (const ParameterInfo& info : layout.parameters)
    differences.expect(kAveraged + info.path, kTensorType<T>, {info.handle.rows, info.handle.columns});
  differences.refuse_others([](const std::string& name) { return name.rfind(kAveraged, 0) == 0; });
  differences.raise();
  std::vector<T> vector(static_cast<std::size_t>(layout.parameter_size), T(0));
  for (const ParameterInfo& info : layout.parameters)
    read_parameter(file_.tensors.at(kAveraged + info.path), info.handle, vector.data());
  return vector;
}

template <class T>
void Checkpoint::restore_averaged(Model<T>& model) const {
  const std::vector<T> vector = averaged_parameters<T>(model.layout);
  if (!vector.empty()) model.store.parameters = vector;
}

template <class E>
std::vector<E> Checkpoint::list(const std::string& name) const {
  const Tensor& tensor = file_.tensors.at(name);
  if (tensor.type != kTensorType<E>)
    throw CheckpointError(fmt::format("'{}' has '{}' of type {}; it must be {}", name_, name, name_of(tensor.type),
                                      name_of(kTensorType<E>)));
  const std::span<const E> elements = tensor.elements<E>();
  return {elements.begin(), elements.end()};
}

template <class T>
void Checkpoint::restore(Training<T>& training, const Layout& layout) const {
  training.first_step = step();
  training.averaged = averaged_parameters<T>(layout);
  training.optimizer_states.clear();
  for (std::size_t phase = 0; file_.tensors.contains(fmt::format("{}{}", kOptimizerStep, phase)); ++phase) {
    OptimizerState<T> state;
    const std::vector<std::int64_t> steps = list<std::int64_t>(fmt::format("{}{}", kOptimizerStep, phase));
    state.step = steps.empty() ? 0 : steps.front();
    const std::string arrays = fmt::format("{}{}/", kOptimizer, phase);
    const std::string numbers = fmt::format("{}{}/", kOptimizerNumbers, phase);
    for (const auto& [name, tensor] : file_.tensors) {
      if (name.rfind(arrays, 0) == 0) state.arrays[name.substr(arrays.size())] = list<T>(name);
      if (name.rfind(numbers, 0) == 0) state.numbers[name.substr(numbers.size())] = list<double>(name);
    }
    training.optimizer_states.push_back(std::move(state));
  }
}

#define PUSHFORWARD_CHECKPOINT(T)                                                                             \
  template Checkpoint Checkpoint::capture(const Model<T>&, const Training<T>*, const DataPipeline<T>::State*, \
                                          const std::string&, std::int64_t);                                  \
  template std::optional<DataPipeline<T>::State> Checkpoint::data<T>() const;                                 \
  template void Checkpoint::restore(Model<T>&) const;                                                         \
  template void Checkpoint::restore_averaged(Model<T>&) const;                                                \
  template void Checkpoint::restore(Training<T>&, const Layout&) const;
PUSHFORWARD_CHECKPOINT(float)
PUSHFORWARD_CHECKPOINT(double)
#undef PUSHFORWARD_CHECKPOINT

}  // namespace pushforward
