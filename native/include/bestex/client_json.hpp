// The stored form of a message made the form that clients see: times in ISO-8601 instead of nanoseconds.
#pragma once

#include <string>
#include <string_view>

namespace bestex {

// Every `"<name>_ns":<integer or null>` becomes `"<name>":"<ISO-8601 UTC with a Z>"` or `"<name>":null`; names that end
// in latency_ns and values that are no 64-bit integer stay. `json` is valid JSON without blanks around its colons.
std::string with_iso_times(std::string_view json);

}  // namespace bestex
