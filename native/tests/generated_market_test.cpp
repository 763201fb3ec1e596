// A generated session with random orders of ours: nothing is lost, nothing is crossed, and it can be repeated.
#include "bestex/generated_market.hpp"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <vector>

using namespace bestex;
using namespace bestex::generated;

#define REQUIRE(condition)                                                          \
    do {                                                                            \
        if (!(condition)) {                                                         \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);    \
            std::exit(1);                                                           \
        }                                                                           \
    } while (false)

namespace {

constexpr Nanoseconds second = 1'000'000'000;
constexpr Nanoseconds open_time = 1'773'149'400 * second;
constexpr Nanoseconds close_time = open_time + 23'400 * second;

GeneratedMarketParameters parameters(std::uint64_t seed) {
    return {seed,    open_time, close_time, 4'210.0, 0.02,  20'000.0, 0.9, 140.0, 200.0,
            30.0,    840'000.0, 1.4,        700.0,   300.0, {0.5, 0.25, 0.25}, {250'000, 200'000, 300'000, 500'000}};
}

struct Life {
    Lots quantity = 0, filled = 0, given_back = 0;
    int answers = 0;
};

// The whole day with an order or a cancel every 20 s or so; digest of market and reports.
std::uint64_t lived_day(std::uint64_t seed) {
    GeneratedMarket market(parameters(seed));
    const CounterRandom random(seed, 1'000);
    std::map<std::uint64_t, Life> lives;
    std::uint64_t digest = 0, handle = 0;
    const auto hear = [&](Nanoseconds until) {
        Nanoseconds last = 0;
        for (const OwnReport& r : market.take_reports(until)) {
            REQUIRE(r.received >= last);
            last = r.received;
            Life& life = lives[r.handle];
            ++life.answers;
            if (r.kind == OwnReportKind::filled) life.filled += r.quantity;
            else if (r.kind != OwnReportKind::acknowledged) life.given_back += r.quantity;
            for (const std::int64_t word : {r.received, r.price_half_ticks, r.quantity, Lots(r.kind), Lots(r.reason)})
                digest = mixed(digest ^ static_cast<std::uint64_t>(word));
        }
    };
    for (std::uint64_t n = 0; n < 1'170; ++n) {
        const Nanoseconds now = open_time + static_cast<Nanoseconds>(n) * 20 * second + 1;
        market.run_until(now);
        hear(now);
        for (std::size_t venue = 0; venue < lit_venues; ++venue) {
            const QuoteRow q = market.venue_quote(venue);
            REQUIRE(q.bid == no_price || q.ask == no_price || q.bid < q.ask);
        }
        const QuoteRow quote = market.quote();
        const auto draw = [&](std::uint64_t i, std::uint64_t below) { return random.bits(8 * n + i) % below; };
        if (draw(0, 4) == 0 && handle > 0) {
            const std::uint64_t which = 1 + draw(1, handle);
            for (std::uint8_t venue = 0; venue < all_venues; ++venue)
                if (market.quantity_ahead(which, venue) >= 0 || venue == dark_venue) market.cancel(which, venue, now);
            continue;
        }
        const Side side = draw(1, 2) ? Side::buy : Side::sell;
        const auto kind = static_cast<OwnOrderKind>(draw(2, 5));
        const bool has_price = kind == OwnOrderKind::limit || kind == OwnOrderKind::post_only || kind == OwnOrderKind::immediate;
        if (has_price && quote.bid == no_price) continue;
        const Lots quantity = 1 + static_cast<Lots>(draw(3, 900));
        const Ticks price = has_price ? quote.bid - 4 + static_cast<Ticks>(draw(4, 9)) : no_price;
        market.submit({++handle, static_cast<std::uint8_t>(draw(5, all_venues)), side, kind, price, quantity}, now);
        lives[handle].quantity = quantity;
    }
    market.run_until(close_time + second);
    hear(close_time + second);
    REQUIRE(!market.has_own_activity());
    Lots filled = 0;
    for (const auto& [_, life] : lives) {
        REQUIRE(life.answers > 0);
        REQUIRE(life.filled + life.given_back == life.quantity);
        filled += life.filled;
    }
    REQUIRE(filled > 10'000);
    const MarketCounters counters = market.counters(close_time);
    Lots printed = 0, ours = 0;
    for (const TradeRow& t : market.trades(open_time, close_time + 1, SIZE_MAX >> 1)) {
        printed += t.quantity;
        ours += t.is_ours ? t.quantity : 0;
    }
    REQUIRE(printed == counters.volume);
    REQUIRE(ours == filled);
    return digest ^ market.digest();
}

}  // namespace

int main() {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
        REQUIRE(lived_day(seed) == lived_day(seed));
    }
    REQUIRE(lived_day(1) != lived_day(2));
    std::puts("generated market: all well");
}
