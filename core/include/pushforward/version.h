// The toolkit's version: the one place where it stands. CMake reads it from here.
#pragma once

#define PUSHFORWARD_VERSION "0.1.0"
#define PUSHFORWARD_VERSION_MAJOR_MINOR "0.1"
