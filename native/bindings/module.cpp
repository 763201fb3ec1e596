#include <nanobind/nanobind.h>

namespace nb = nanobind;

void register_decision(nb::module_& m);
void register_replay(nb::module_& m);
void register_market(nb::module_& m);
void register_pretrade(nb::module_& m);
void register_client_json(nb::module_& m);

NB_MODULE(_core, m) {
    m.doc() = "The C++20 core: books, venues, replay the algorithms' decision step: integers, ticks, lots, ns. And the pre-trade model, in doubles.";
    m.attr("version") = "0.1.0";
    register_decision(m);
    register_replay(m);
    register_market(m);
    register_pretrade(m);
    register_client_json(m);
}
