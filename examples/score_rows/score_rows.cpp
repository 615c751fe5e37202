// score_rows RUN DATA: the log-density of every row of a file under a finished run, one number a line.
#include <pushforward/run.h>

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: score_rows RUN DATA\n");
    return 2;
  }
  try {
    pushforward::Run run(argv[1]);
    for (const std::string& warning : run.warnings()) std::fprintf(stderr, "warning: %s\n", warning.c_str());
    for (const double log_density : run.log_prob(run.read(argv[2]))) std::printf("%.17g\n", log_density);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
