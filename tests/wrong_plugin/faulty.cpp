// A plugin whose components each break one promise: `pushforward check` must report every one by name, and go on.
#include <limits>
#include <stdexcept>
#include <vector>

#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT

enum class Fault { factory, forward, number, vjp, shape, nan, allocates, none };

template <class T, class Change>
Var<T> with_gradient(Var<T> x, Change change) {
  const Var<T> out = x.tape().make(x.rows(), x.columns());
  for (Index j = 0; j < x.columns(); ++j) std::copy_n(x.value().column(j), x.rows(), out.data().column(j));
  x.tape().primitive(
      "with_gradient", {x}, {out},
      [change](Vjp<T>& v) {
        if (!v.wants(0)) return;
        for (Index j = 0; j < v.adjoint(0).columns; ++j)
          for (Index i = 0; i < v.adjoint(0).rows; ++i) change(v.gradient(0)(i, j), v.adjoint(0)(i, j));
      },
      no_tangent);
  return out;
}

/// The identity, with a fault in its forward direction.
template <class T, Fault fault>
class Faulty final : public Bijector<T> {
 public:
  explicit Faulty(Build<T>& build) : size_(build.event_size()) {
    if (fault == Fault::factory) throw std::runtime_error("the factory gives up");
  }
  Mapped<T> forward(Var<T> x, const Pass<T>&) const override {
    require_columns("faulty", x.columns(), size_);
    if (fault == Fault::forward) throw std::runtime_error("forward gives up");
    if (fault == Fault::number) throw 42;
    if (fault == Fault::vjp) x = with_gradient(x, [](T&, T) { throw std::runtime_error("the vjp gives up"); });
    if (fault == Fault::nan) x = x * std::numeric_limits<T>::quiet_NaN();
    if (fault == Fault::allocates) {
      const std::vector<T> ones(3, T(1));
      x = x * ones.back();
    }
    const Var<T> value = fault == Fault::shape ? columns(x, 0, size_ - 1) : x;
    return {value, row_sum(x * T(0))};
  }
  Mapped<T> inverse(Var<T> y, const Pass<T>&) const override {
    require_columns("faulty", y.columns(), size_);
    return {y * T(1), row_sum(y * T(0))};
  }

 private:
  Index size_;
};

template <Fault fault>
struct Of {
  template <class T>
  using Component = Faulty<T, fault>;
};

constexpr Example kFactory[] = {{"default", "faulty_factory"}};
constexpr Example kForward[] = {{"default", "faulty_forward"}};
constexpr Example kNumber[] = {{"default", "faulty_number"}};
constexpr Example kVjp[] = {{"default", "faulty_vjp"}};
constexpr Example kShape[] = {{"default", "faulty_shape"}};
constexpr Example kNan[] = {{"default", "faulty_nan"}};
constexpr Example kAllocates[] = {{"default", "faulty_allocates"}};
constexpr Example kInvalid[] = {{"default", "faulty_example: {no_such_field: 1}"}};

constexpr ComponentInfo kComponents[] = {
    describe<Of<Fault::factory>::Component>("bijector", "faulty_factory", "throws where it is made", nullptr, kFactory),
    describe<Of<Fault::forward>::Component>("bijector", "faulty_forward", "throws in forward", nullptr, kForward),
    describe<Of<Fault::number>::Component>("bijector", "faulty_number", "throws a number", nullptr, kNumber),
    describe<Of<Fault::vjp>::Component>("bijector", "faulty_vjp", "throws in a vjp", nullptr, kVjp),
    describe<Of<Fault::shape>::Component>("bijector", "faulty_shape", "loses a column", nullptr, kShape),
    describe<Of<Fault::nan>::Component>("bijector", "faulty_nan", "writes NaN", nullptr, kNan),
    describe<Of<Fault::allocates>::Component>("bijector", "faulty_allocates", "asks the heap", nullptr, kAllocates),
    describe<Of<Fault::none>::Component>("bijector", "faulty_example", "has a wrong example", nullptr, kInvalid),
    {"bijector", "faulty_silence", "has no example", nullptr, 0, nullptr, 0,
     &construct<float, Of<Fault::none>::Component>, &construct<double, Of<Fault::none>::Component>, ""},
};

}  // namespace

PUSHFORWARD_PLUGIN("faulty", "0.1.0", "MIT", kComponents);
