#include <nanobind/nanobind.h>

namespace nb = nanobind;

void register_decision(nb::module_& m);
void register_replay(nb::module_& m);
void register_market(nb::module_& m);

NB_MODULE(_core, m) {
    m.doc() = "The C++20 core: books, venues, replay and the algorithms' decision step. Integers only: ticks, lots, ns.";
    m.attr("version") = "0.1.0";
    register_decision(m);
    register_replay(m);
    register_market(m);
}
