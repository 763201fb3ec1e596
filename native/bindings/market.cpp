#include <nanobind/nanobind.h>

namespace nb = nanobind;

void register_market(nb::module_&) {}
