#include "io/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "pushforward/version.h"

namespace pushforward {
namespace {

constexpr const char* kKind = "pushforward checkpoint";
constexpr const char* kFormatVersion = "1";
constexpr const char* kState = "state/";
constexpr const char* kAveraged = "averaged/";
constexpr const char* kBest = "best/";
constexpr const char* kBestState = "best_state/";
constexpr const char* kEarlyStoppingCounts = "early_stopping/counts";  // the best one's step, looks waited
constexpr const char* kEarlyStoppingLosses = "early_stopping/losses";  // the best one's, the reference
constexpr const char* kSchedule = "schedule/";
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
void capture_parameters(const char* prefix, const std::vector<T>& vector, const Layout& layout, TensorFile& file) {
  for (const ParameterInfo& info : layout.parameters)
    file.tensors[prefix + info.path] = parameter_tensor(vector.data(), info.handle);
}
template <class T>
void capture_state(const char* prefix, const std::vector<T>& real, const std::vector<std::int64_t>& integer,
                   const Layout& layout, TensorFile& file) {
  for (const StateInfo& info : layout.states)
    file.tensors[prefix + info.path] =
        info.handle.integer ? list_tensor(part(integer, info.handle)) : list_tensor(part(real, info.handle));
}

template <class T>
void capture_best(const BestParameters<T>& best, const Layout& layout, TensorFile& file) {
  file.tensors[kEarlyStoppingCounts] = list_tensor<std::int64_t>(std::array{best.step, best.waited});
  file.tensors[kEarlyStoppingLosses] = list_tensor<double>(std::array{best.validation_loss, best.reference});
  if (best.step == 0) return;
  capture_parameters(kBest, best.parameters, layout, file);
  capture_state(kBestState, best.real_state, best.integer_state, layout, file);
}

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
  for (const auto& [name, numbers] : training.schedule_state.numbers)
    file.tensors[kSchedule + name] = list_tensor<double>(numbers);
  if (training.early_stopping) capture_best(training.best, layout, file);
  if (!training.averaged.empty()) capture_parameters(kAveraged, training.averaged, layout, file);
}

}  // namespace

template <class T>
Checkpoint Checkpoint::capture(const Model<T>& model, const Training<T>* training,
                               const typename DataPipeline<T>::State* data, const std::string& spec,
                               std::int64_t step) {
  Checkpoint checkpoint;
  TensorFile& file = checkpoint.file_;
  capture_parameters("", model.store.parameters, model.layout, file);
  capture_state(kState, model.store.real_state, model.store.integer_state, model.layout, file);
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
bool Checkpoint::any(const char* prefix) const {
  const auto first = file_.tensors.lower_bound(prefix);
  return first != file_.tensors.end() && first->first.starts_with(prefix);
}
bool Checkpoint::averaged() const { return any(kAveraged); }
bool Checkpoint::keeps_best() const { return any(kBest); }

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
  restore_state(kState, model.layout, model.store.real_state, model.store.integer_state);
}

template <class T>
void Checkpoint::restore_state(const char* prefix, const Layout& layout, std::vector<T>& real,
                               std::vector<std::int64_t>& integer) const {
  for (const StateInfo& info : layout.states) {
    const Tensor& tensor = file_.tensors.at(prefix + info.path);
    if (info.handle.integer)
      std::ranges::copy(tensor.elements<std::int64_t>(), integer.begin() + info.handle.offset);
    else
      std::ranges::copy(tensor.elements<T>(), real.begin() + info.handle.offset);
  }
}

template <class T>
std::vector<T> Checkpoint::parameters(const char* prefix, const Layout& layout) const {
  if (!any(prefix)) return {};
  Differences differences(file_, name_);
  for (const ParameterInfo& info : layout.parameters)
    differences.expect(prefix + info.path, kTensorType<T>, {info.handle.rows, info.handle.columns});
  differences.refuse_others([&](const std::string& name) { return name.starts_with(prefix); });
  differences.raise();
  std::vector<T> vector(static_cast<std::size_t>(layout.parameter_size), T(0));
  for (const ParameterInfo& info : layout.parameters)
    read_parameter(file_.tensors.at(prefix + info.path), info.handle, vector.data());
  return vector;
}

template <class T>
BestParameters<T> Checkpoint::best(const Layout& layout) const {
  BestParameters<T> best;
  if (file_.tensors.contains(kEarlyStoppingCounts)) {
    Differences differences(file_, name_);
    differences.expect(kEarlyStoppingCounts, TensorType::int64, {2});
    differences.expect(kEarlyStoppingLosses, TensorType::float64, {2});
    differences.raise();
    const std::vector<std::int64_t> counts = list<std::int64_t>(kEarlyStoppingCounts);
    const std::vector<double> losses = list<double>(kEarlyStoppingLosses);
    best.step = counts[0];
    best.waited = counts[1];
    best.validation_loss = losses[0];
    best.reference = losses[1];
  }
  best.parameters = parameters<T>(kBest, layout);
  if (best.parameters.empty()) return best;
  Differences differences(file_, name_);
  for (const StateInfo& info : layout.states)
    differences.expect(kBestState + info.path, info.handle.integer ? TensorType::int64 : kTensorType<T>,
                       {info.handle.size});
  differences.raise();
  best.real_state.resize(static_cast<std::size_t>(layout.real_state_size));
  best.integer_state.resize(static_cast<std::size_t>(layout.integer_state_size));
  restore_state(kBestState, layout, best.real_state, best.integer_state);
  return best;
}

template <class T>
void Checkpoint::restore_result(Model<T>& model) const {
  if (BestParameters<T> kept = best<T>(model.layout); !kept.parameters.empty())
    kept.exchange(model.store);
  else if (std::vector<T> averaged = parameters<T>(kAveraged, model.layout); !averaged.empty())
    model.store.parameters = std::move(averaged);
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
  training.averaged = parameters<T>(kAveraged, layout);
  training.best = best<T>(layout);
  training.schedule_state.numbers.clear();
  for (const auto& [name, tensor] : file_.tensors)
    if (name.starts_with(kSchedule))
      training.schedule_state.numbers[name.substr(std::string_view(kSchedule).size())] = list<double>(name);
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
  template void Checkpoint::restore_result(Model<T>&) const;                                                  \
  template void Checkpoint::restore(Training<T>&, const Layout&) const;
PUSHFORWARD_CHECKPOINT(float)
PUSHFORWARD_CHECKPOINT(double)
#undef PUSHFORWARD_CHECKPOINT

}  // namespace pushforward
