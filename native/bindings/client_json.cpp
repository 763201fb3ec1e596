#include "bestex/client_json.hpp"

#include <nanobind/nanobind.h>

#include <string>

namespace nb = nanobind;
using namespace nb::literals;

void register_client_json(nb::module_& m) {
    m.def(
        "with_iso_times",
        [](const nb::bytes& json) {
            const std::string out = bestex::with_iso_times({json.c_str(), json.size()});
            return nb::bytes(out.data(), out.size());
        },
        "json"_a);
}
