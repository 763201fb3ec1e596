#include <nanobind/nanobind.h>

namespace nb = nanobind;

void register_decision(nb::module_&) {}
