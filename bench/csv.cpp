// Loading a CSV file of a million rows and ten columns: the dataset alone, and all that happens before training. One
// row of the report tells megabytes of text for each second of processor time, and the largest memory of the process so
// far, less what it had before: run one at a time with --benchmark_filter to compare memory. The table itself has 80
// MB.
//
// bench/peers/csv_pandas.py reads the same files with pandas. Measured on one core of a shared virtual machine (AMD
// EPYC with AVX-512, GCC 12, pandas 3.1.1), files of 92 and 196 MB, processor time and memory beyond the start:
//
//                  6 digits           17 digits
//   load           350 MB/s   76 MB   580 MB/s   76 MB
//   pipeline       173 MB/s  199 MB   328 MB/s  199 MB
//   pandas         185 MB/s  242 MB   499 MB/s  346 MB
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "plugins.h"
#include "pushforward/random.h"
#include "pushforward/registry/assembly.h"
#include "pushforward/registry/experiment.h"

namespace {

using namespace pushforward;  // NOLINT: a program

constexpr Index kRows = 1000000, kColumns = 10;

/// Megabytes.
double peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// Standard normal numbers with so many digits, written once: the file stays in the folder of temporary files.
std::string file_of(int digits) {
  const std::string name =
      (std::filesystem::temp_directory_path() / ("pushforward_bench_" + std::to_string(digits) + ".csv")).string();
  if (std::filesystem::exists(name)) return name;
  const std::string unfinished = name + ".unfinished";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(unfinished.c_str(), "wb"), &std::fclose);
  if (!file) throw std::runtime_error(unfinished + " cannot be written");
  for (Index j = 0; j < kColumns; ++j) std::fprintf(file.get(), "%sx%ld", j ? "," : "", static_cast<long>(j));
  std::fputc('\n', file.get());
  constexpr Index kBlock = 1000;
  Matrix<double> numbers(kBlock, kColumns);
  for (Index first = 0; first < kRows; first += kBlock) {
    Draws({.seed = 1}, ComponentId{0}, 0, first).normal(numbers.block());
    for (Index i = 0; i < kBlock; ++i) {
      for (Index j = 0; j < kColumns; ++j) std::fprintf(file.get(), "%s%.*g", j ? "," : "", digits, numbers(i, j));
      std::fputc('\n', file.get());
    }
  }
  std::filesystem::rename(unfinished, name);
  return name;
}

void report(benchmark::State& state, const std::string& file, double before) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(std::filesystem::file_size(file)));
  state.counters["peak_MB"] = peak_memory() - before;
}

void load(benchmark::State& state) {
  const std::string file = file_of(static_cast<int>(state.range(0)));
  const SpecNode node = resolve_component(plugins(), "dataset", parse_spec_text("csv: {file: " + file + "}", "bench"));
  const Assembly<double> assembly = assemble<double>(plugins(), "dataset", node, {}, 0, "data.source");
  const auto& dataset = dynamic_cast<const Dataset<double>&>(*assembly.root);
  const double before = peak_memory();
  for (auto _ : state) benchmark::DoNotOptimize(dataset.load(0).values.data());
  report(state, file, before);
}
BENCHMARK(load)->Arg(6)->Arg(17)->Unit(benchmark::kMillisecond)->Iterations(3);

/// With checksum, split, standardisation and the copy in the model's precision.
void pipeline(benchmark::State& state) {
  const std::string file = file_of(static_cast<int>(state.range(0)));
  const ResolvedSpec spec = resolve_spec(
      plugins(), parse_spec_text("data: {source: {csv: {file: " + file +
                                     "}}, preprocess: [standardize], split: {train: 0.8, validation: 0.1, test: 0.1}}\n"
                                     "model: {normal: {shape: [10], mean: learnable}}\ntraining: {steps: 1}\n",
                                 "bench"));
  const double before = peak_memory();
  for (auto _ : state) {
    DataPipeline<float> data(plugins(), spec);
    data.load();
    benchmark::DoNotOptimize(data.splits().data());
  }
  report(state, file, before);
}
BENCHMARK(pipeline)->Arg(6)->Arg(17)->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace

BENCHMARK_MAIN();
