#include "program.h"
#include "pushforward/testing/count_allocations.h"  // for `check`

int main(int argc, char** argv) {
  pushforward::Console console;
  return pushforward::run_program({argv + 1, argv + argc}, console);
}
