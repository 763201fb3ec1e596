#include <nanobind/nanobind.h>

namespace nb = nanobind;

void register_replay(nb::module_&) {}
