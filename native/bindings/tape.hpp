#pragma once

#include <nanobind/nanobind.h>

void register_tape(nanobind::module_& m);
