#include "process.h"
#include "program.h"
#include "pushforward/testing/count_allocations.h"  // for `check`

int main(int argc, char** argv) {
  pushforward::prepare_process();
  const pushforward::RefusedExit refused;
  pushforward::Console console;
  if (argc > 0) console.program = pushforward::called_as(argv[0]);
  return pushforward::run_program({argv + 1, argv + argc}, console);
}
