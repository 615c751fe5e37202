// Checks 15, 16, 17 and 22: threads, checkpoints, fields, other parameter vectors.
#include <barrier>
#include <cmath>
#include <set>
#include <thread>

#include "gradients.h"
#include "kit.h"

namespace pushforward::testing {

namespace {

Request with_gradient(Case& c, const FunctionCase& f, Mode mode, Precision p, unsigned seed) {
  Request r = c.request(f, kSamples, seed, mode);
  r.cotangents = Case::cotangents(c.runner(p).run(r).outputs, seed + 1);
  return r;
}

}  // namespace

void check_threads(Case& c, Tally& t) {
  constexpr std::size_t kThreads = 4;
  constexpr int kRepeats = 8;
  for (const FunctionCase& f : c.functions())
    for (const Mode mode : c.modes(f)) {
      // Every thread has other numbers, so that memory which they share by mistake shows.
      std::vector<Request> requests;
      std::vector<Response> alone;
      for (std::size_t k = 0; k < kThreads; ++k) {
        requests.push_back(with_gradient(c, f, mode, t.precision(), 181 + static_cast<unsigned>(k)));
        alone.push_back(c.runner(t.precision()).run(requests[k]));
      }
      std::vector<std::string> wrong(kThreads);
      std::barrier<> together(kThreads);  // making a thread takes as long as many evaluations
      {
        std::vector<std::jthread> threads;
        for (std::size_t k = 0; k < kThreads; ++k)
          threads.emplace_back([&, k, runner = std::shared_ptr<Runner>(c.runner(t.precision()).clone())] {
            together.arrive_and_wait();
            try {
              for (int i = 0; i < kRepeats && wrong[k].empty(); ++i)
                if (!same_bits(runner->run(requests[k]), alone[k])) wrong[k] = "other bits than alone";
            } catch (const std::exception& e) {
              wrong[k] = std::string("it threw: ") + e.what();
            } catch (...) {
              wrong[k] = "it threw something that is no std::exception";
            }
          });
      }
      for (const std::string& message : wrong)
        t.require(message.empty(), [&] { return c.where(f, mode) + ", one of four threads: " + message; });
    }
}

namespace {

/// What is drawn for a start is drawn from the seed of the build, so the same build starts alike.
void require_same_start(Case& c, Tally& t) {
  const auto start = [&] {
    const Variant& v = c.variant();
    return t.in_double() ? make_runner<double>(c.subject(), v.surroundings, v.form)->numbers()
                         : make_runner<float>(c.subject(), v.surroundings, v.form)->numbers();
  };
  const Runner::Numbers first = start(), second = start();
  t.require(first.parameters == second.parameters && first.real_state == second.real_state &&
                first.integer_state == second.integer_state,
            [] { return std::string("built twice with the same seed, it starts at other numbers"); });
}

}  // namespace

void check_checkpoint(Case& c, Tally& t) {
  std::set<std::string> paths;
  const auto unique = [&](const std::string& path) {
    t.require(paths.insert(path).second, [&] { return "two blocks of numbers have the path " + path; });
  };
  for (const ParameterInfo& p : c.layout().parameters) unique(p.path);
  for (const StateInfo& s : c.layout().states) unique(s.path);
  require_same_start(c, t);
  const std::unique_ptr<Runner> loaded = c.fresh(t.precision());
  for (const FunctionCase& f : c.functions())
    for (const Mode mode : c.modes(f)) {
      const Request r = c.request(f, kSamples, 191, mode);
      const std::vector<Array> saved = c.runner(t.precision()).run(r).outputs, again = loaded->run(r).outputs;
      t.at(c.where(f, mode) + ", loaded");
      for (std::size_t o = 0; o < saved.size(); ++o) t.same(f.info.outputs[o], again[o], saved[o]);
    }
}

void check_subject_fields(const Subject& subject, Tally& t) {
  t.require(subject.tolerance_factor == 1 || !subject.reason.empty(), [&] {
    return "tolerances are multiplied by " + std::to_string(subject.tolerance_factor) + " without a reason";
  });
  for (const auto& excused : subject.without_gradient)
    t.require(!excused.second.empty(),
              [&] { return excused.first + " is excused from having a gradient without a reason"; });
  for (const Refusal& refusal : subject.refusals) {
    std::string message;
    try {
      refusal.attempt();
      t.finding(refusal.description + " was accepted");
      continue;
    } catch (const SpecError& e) {
      message = e.what();
    } catch (const std::exception& e) {
      t.finding(refusal.description + ": no SpecError, but: " + e.what());
      continue;
    }
    t.require(message.find(refusal.mentions) != std::string::npos, [&] {
      return refusal.description + ": the message does not mention " + refusal.mentions + ": " + message;
    });
  }
  const auto read = [&](const std::vector<std::string>& unread) {
    t.require(unread.empty(), [&] { return "the factory does not read the field '" + unread.front() + "'"; });
  };
  if (t.in_double())
    read(subject.make<double>(subject.surroundings).unread_fields);
  else
    read(subject.make<float>(subject.surroundings).unread_fields);
}

namespace {

/// Each range frozen alone: the same results, and no gradient in it.
void check_frozen(Case& c, const FunctionCase& f, const Request& r, const Response& free, Tally& t) {
  const Layout& layout = c.layout();
  for (const ParameterInfo& p : layout.parameters) {
    std::vector<std::uint8_t> frozen(static_cast<std::size_t>((layout.parameter_size + layout.derived_size) / kPadding),
                                     0);
    const Index end = p.handle.offset + p.handle.size();
    for (Index i = p.handle.offset / kPadding; i * kPadding < end; ++i) frozen[static_cast<std::size_t>(i)] = 1;
    Request still = r;
    still.frozen = &frozen;
    const Response after = c.runner(t.precision()).run(still);
    t.require(same_bits(free.outputs, after.outputs),
              [&] { return c.where(f, r.mode) + ": freezing " + p.path + " changes results"; });
    for (Index i = p.handle.offset; i < end; ++i)
      t.require(after.parameters[static_cast<std::size_t>(i)] == 0,
                [&] { return c.where(f, r.mode) + ": frozen, but with a gradient: " + parameter_name(layout, i); });
  }
}

}  // namespace

void check_parameter_vector(Case& c, Tally& t) {
  if (c.layout().parameters.empty()) return t.skip("there are no parameters");
  Runner& runner = c.runner(t.precision());
  const std::vector<double> other = c.other_parameters(201, 0.1);
  for (const FunctionCase& f : c.functions())
    for (const Mode mode : c.modes(f)) {
      const Request r = with_gradient(c, f, mode, t.precision(), 202);
      Request elsewhere = r;
      elsewhere.parameters = &other;
      const Response before = runner.run(r);
      runner.run(elsewhere);
      t.require(same_bits(before, runner.run(r)), [&] {
        return c.where(f, mode) + ": after an evaluation at another parameter vector, the first gives other bits";
      });
      check_frozen(c, f, r, before, t);
    }
}

}  // namespace pushforward::testing
