// What this process needs of the system before anything else happens.
#pragma once

namespace pushforward {

/// Gives stdin, stdout and stderr a descriptor if whoever started the program closed them: the next file that is opened
/// would get the number, and results would be written into it. Writing to one of those still fails. A file that may not
/// grow becomes an error of writing, as a full disk is, in place of a signal that ends the program.
void prepare_process();

/// While it lives, whatever calls `exit` in this process (a plugin: the program itself returns) ends it with a message
/// and exit code 1, lest a fit that was cut off look like one that went well. Copies of the process are free to exit.
class RefusedExit {
 public:
  RefusedExit();
  ~RefusedExit();
  RefusedExit(const RefusedExit&) = delete;
  RefusedExit& operator=(const RefusedExit&) = delete;
};

}  // namespace pushforward
