// The plugin's own test: the conformance kit from C++, without a test framework or within any.
//
//   conformance PLUGIN.so
#include "pushforward/conformance.h"

#include <exception>
#include <iostream>

#include "pushforward/testing/count_allocations.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: conformance PLUGIN.so\n";
    return 2;
  }
  try {
    const auto results = pushforward::testing::check_plugin(argv[1]);
    std::cout << pushforward::testing::to_text(results, false, true);
    return pushforward::testing::passed(results) ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
