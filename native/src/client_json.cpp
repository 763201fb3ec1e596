#include "bestex/client_json.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>

namespace bestex {

namespace {

constexpr std::string_view mark = "_ns\":";
constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t day = 86'400 * second;

void put(char* at, std::int64_t value, int digits) {
    for (char* p = at + digits; p != at; value /= 10) *--p = static_cast<char>('0' + value % 10);
}

// Most times of one text fall on the same day: its date is worked out once.
class IsoText {
public:
    void append(std::string& out, std::int64_t time_ns) {
        const std::int64_t days = time_ns / day - (time_ns % day < 0);
        if (days != days_) {
            const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
            put(text_ + 1, static_cast<int>(date.year()), 4);
            put(text_ + 6, static_cast<unsigned>(date.month()), 2);
            put(text_ + 9, static_cast<unsigned>(date.day()), 2);
            days_ = days;
        }
        const std::int64_t of_day = time_ns % day + (time_ns % day < 0 ? day : 0);
        put(text_ + 12, of_day / (3'600 * second), 2);
        put(text_ + 15, of_day / (60 * second) % 60, 2);
        put(text_ + 18, of_day / second % 60, 2);
        const std::int64_t fraction = of_day % second;
        const bool is_micro = fraction % 1'000 == 0;
        put(text_ + 21, is_micro ? fraction / 1'000 : fraction, is_micro ? 6 : 9);
        out.append(text_, is_micro ? 27 : 30).append("Z\"");
    }

private:
    char text_[30] = {'"', '0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0', '0', ':',
                      '0', '0', ':', '0', '0', '.', '0', '0', '0', '0', '0', '0', '0', '0', '0'};
    std::int64_t days_ = INT64_MAX;
};

}  // namespace

std::string with_iso_times(std::string_view json) {
    std::string out;
    out.reserve(json.size() + json.size() / 4);
    IsoText iso;
    std::size_t from = 0;
    // A quote inside a string is written \", so the mark can only be the end of a name.
    for (std::size_t at = json.find(mark); at != json.npos; at = json.find(mark, at + mark.size())) {
        if (json.substr(0, at).ends_with("latency")) continue;
        const char* value = json.data() + at + mark.size();
        const char* end = json.data() + json.size();
        std::int64_t time_ns = 0;
        const auto [rest, wrong] = std::from_chars(value, end, time_ns);
        const bool is_time = wrong == std::errc{} && (rest == end || *rest == ',' || *rest == '}');
        const bool is_null = std::string_view(value, static_cast<std::size_t>(end - value)).starts_with("null");
        if (!is_time && !is_null) continue;
        out.append(json, from, at - from).append("\":");
        from = at + mark.size();
        if (is_time) {
            iso.append(out, time_ns);
            from = static_cast<std::size_t>(rest - json.data());
        }
    }
    return out.append(json, from);
}

}  // namespace bestex
