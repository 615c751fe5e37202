#include "pushforward/run.h"

#include "opened_run.h"

namespace pushforward {
namespace {

/// A run of either precision.
class AnyRun {
 public:
  virtual ~AnyRun() = default;
  virtual std::vector<std::string> columns() const = 0;
  virtual std::vector<std::string> context_columns() const = 0;
  virtual Table read(const std::string& file) const = 0;
  virtual std::vector<double> log_prob(const Table& rows) = 0;
  virtual Table sample(Index n, std::uint64_t seed, const Table& context) = 0;
  virtual Table to_base(const Table& rows, std::vector<double>& log_det) = 0;
  virtual Table from_base(const Table& points, std::vector<double>& log_det) = 0;
};

template <class T>
class RunOf final : public AnyRun {
 public:
  RunOf(const OpenedRun& opened, int threads)
      : run_(opened.registry, opened.spec, opened.checkpoint, threads, opened.spec.seed) {}
  std::vector<std::string> columns() const override {
    if (run_.data()) return run_.data()->columns();
    std::vector<std::string> names;
    for (Index j = 0; j < run_.model().distribution->event_shape().size(); ++j)
      names.push_back("x" + std::to_string(j));
    return names;
  }
  std::vector<std::string> context_columns() const override {
    return run_.data() ? run_.data()->context_columns() : std::vector<std::string>();
  }
  Table read(const std::string& file) const override { return run_.read(file, "the file"); }
  std::vector<double> log_prob(const Table& rows) override { return run_.log_prob(rows); }
  Table sample(Index n, std::uint64_t seed, const Table& context) override {
    return run_.sample(n, seed, context_for_samples(run_, n, context));
  }
  Table to_base(const Table& rows, std::vector<double>& log_det) override { return run_.to_base(rows, log_det); }
  Table from_base(const Table& points, std::vector<double>& log_det) override {
    return run_.from_base(points, log_det);
  }

 private:
  static Split<T> context_for_samples(const LoadedRun<T>& run, Index n, const Table& context) {
    const bool conditional = run.model().context > 0;
    if (conditional != (context.rows > 0))
      throw SpecError(conditional ? "the model is conditional: give a context to sample at"
                                  : "the model has no context; sample without one");
    if (!conditional) return {};
    if (n % context.rows != 0)
      throw SpecError("a context of " + std::to_string(context.rows) + " rows does not divide " + std::to_string(n) +
                      " samples evenly; ask for a multiple, as each row gets as many samples");
    return run.data()->transform(context, false);
  }
  LoadedRun<T> run_;
};

}  // namespace

struct Run::Impl {
  Impl(const std::string& run, const RunSettings& settings)
      : opened(
            run, {},
            [&](Registry& registry, const std::vector<std::string>& folders) {
              for (const std::string& folder : settings.plugin_folders) registry.add_folder(folder);
              registry.add_standard_folders({}, folders);
            },
            [this](const std::string& warning) { warnings.push_back(warning); }) {
    if (opened.spec.float64)
      any = std::make_unique<RunOf<double>>(opened, settings.threads);
    else
      any = std::make_unique<RunOf<float>>(opened, settings.threads);
    columns = any->columns();
    context_columns = any->context_columns();
  }
  std::vector<std::string> warnings;
  OpenedRun opened;
  std::unique_ptr<AnyRun> any;
  std::vector<std::string> columns, context_columns;
};

Run::Run(const std::string& run, const RunSettings& settings) : impl_(std::make_unique<Impl>(run, settings)) {}
Run::~Run() = default;
Run::Run(Run&&) noexcept = default;
Run& Run::operator=(Run&&) noexcept = default;

const std::vector<std::string>& Run::columns() const { return impl_->columns; }
const std::vector<std::string>& Run::context_columns() const { return impl_->context_columns; }
const std::vector<std::string>& Run::warnings() const { return impl_->warnings; }
Table Run::read(const std::string& file) const { return impl_->any->read(file); }

Table Run::rows(Index rows) const {
  Table table{.rows = rows, .names = impl_->columns, .values = {}};
  table.names.insert(table.names.end(), impl_->context_columns.begin(), impl_->context_columns.end());
  table.values.assign(table.names.size() * static_cast<std::size_t>(rows), 0.0);
  return table;
}

std::vector<double> Run::log_prob(const Table& rows) { return impl_->any->log_prob(rows); }
Table Run::sample(Index n, std::uint64_t seed, const Table& context) { return impl_->any->sample(n, seed, context); }

Table Run::to_base(const Table& rows, std::vector<double>* log_det) {
  std::vector<double> unwanted;
  return impl_->any->to_base(rows, log_det ? *log_det : unwanted);
}
Table Run::from_base(const Table& points, std::vector<double>* log_det) {
  std::vector<double> unwanted;
  return impl_->any->from_base(points, log_det ? *log_det : unwanted);
}

}  // namespace pushforward
