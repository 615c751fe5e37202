#include "not_finite.h"

#include <algorithm>
#include <cmath>

namespace pushforward {

template <class T>
std::string gradients_not_finite(const Layout& layout, std::span<const T> gradient) {
  std::vector<const ParameterInfo*> found;
  for (const ParameterInfo& info : layout.parameters) {
    const auto numbers =
        gradient.subspan(static_cast<std::size_t>(info.handle.offset), static_cast<std::size_t>(info.handle.size()));
    if (!std::all_of(numbers.begin(), numbers.end(), [](T g) { return std::isfinite(g); })) found.push_back(&info);
  }
  if (found.empty()) return {};
  if (found.size() == 1) return "the gradient of " + found.front()->path + " is";
  return "the gradients of " + std::to_string(found.size()) + " of " + std::to_string(layout.parameters.size()) +
         " sets of parameters, from " + found.front()->path + " to " + found.back()->path + ", are";
}

template std::string gradients_not_finite<float>(const Layout&, std::span<const float>);
template std::string gradients_not_finite<double>(const Layout&, std::span<const double>);

}  // namespace pushforward
