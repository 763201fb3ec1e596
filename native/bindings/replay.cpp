#include <nanobind/nanobind.h>

#include "tape.hpp"

namespace nb = nanobind;

void register_replay(nb::module_& m) { register_tape(m); }
