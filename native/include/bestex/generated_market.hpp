// A seeded market of one instrument for one session, on lit venues with real FIFO books and one dark pool.
//
// A clock of exogenous instants runs through the day; every draw belongs to (stream, instant), so two runs that differ
// only in our orders see the same news, the same intentions of everybody else, at the same times. What everybody else
// then does depends on the book they find. Our own fills move the price they quote around (see `ImpactMemory`).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <queue>
#include <span>
#include <unordered_set>
#include <vector>

#include "bestex/counter_random.hpp"
#include "bestex/impact_memory.hpp"
#include "bestex/matching.hpp"
#include "bestex/types.hpp"

namespace bestex::generated {

using matching::LevelView;
using matching::MatchingEngine;
using matching::OperationKind;

constexpr std::size_t lit_venues = 3;
constexpr std::size_t dark_venue = lit_venues;  // index of the dark pool
constexpr std::size_t all_venues = lit_venues + 1;

struct GeneratedMarketParameters {
    std::uint64_t seed;
    Nanoseconds open, close;
    double opening_price;            // ticks; the hidden efficient price at the open
    double daily_volatility;         // sd of the open-to-close log return
    double instants_per_day;         // expected exogenous instants in a full session
    double half_spread;              // ticks that makers keep from the efficient price at midday
    double order_size;               // mean lots of a resting order
    double market_order_size;        // mean lots of a market order
    double orders_per_side;          // resting orders per venue and side that the flow tends to
    double average_daily_volume;     // lots: the unit of our impact
    double impact;                   // daily sds that a hundredth of ADV moves the price, times 10, undecayed
    double dark_orders_per_day;      // hidden midpoint orders of others
    double dark_order_size;          // mean lots
    std::array<double, lit_venues> venue_shares;
    std::array<Nanoseconds, all_venues> latency;  // one way
};

enum class OwnOrderKind : std::uint8_t { limit, market, post_only, immediate, midpoint_peg };
enum class OwnReportKind : std::uint8_t { acknowledged, filled, cancelled, rejected, expired };
enum class OwnReason : std::uint8_t {
    none,
    asked,
    no_more_liquidity,
    self_trade,
    would_cross,
    price_out_of_range,
    session_closed,
};
enum class OwnLiquidity : std::uint8_t { added, removed, midpoint };

struct OwnOrder {
    std::uint64_t handle;  // below 2^63, unique in this session
    std::uint8_t venue;    // index; dark_venue is the pool
    Side side;
    OwnOrderKind kind;
    Ticks price;           // no_price = none
    Lots quantity;         // 1 to 2^31 - 1
};

struct OwnReport {
    Nanoseconds received, venue_time;
    std::uint64_t sequence;
    std::uint64_t handle;
    Ticks price_half_ticks;  // fills only
    Lots quantity;
    Ticks bid, ask;          // consolidated, just before what is reported; no_price where empty
    OwnReportKind kind;
    OwnReason reason;
    OwnLiquidity liquidity;
    std::uint8_t venue;
};

struct QuoteRow {
    Nanoseconds time;
    Ticks bid, ask;
    Lots bid_quantity, ask_quantity;
};

struct TradeRow {
    Nanoseconds time;
    Ticks price_half_ticks;
    Lots quantity;
    std::uint8_t venue;
    std::int8_t aggressor;  // +1 buyer, -1 seller, 0 unknown (dark)
    bool is_ours;
};

struct BarRow {
    Nanoseconds start, end;
    Ticks open, high, low, close;  // half ticks; no_price when nothing traded
    Lots volume;
    std::int64_t notional;         // half ticks x lots
};

struct MarketCounters {
    Lots volume;
    std::int64_t notional;       // half ticks x lots
    std::int64_t mid_integral;   // half ticks (bid + ask) x ns while both sides stood
    Nanoseconds mid_time;        // ns both sides stood
    std::uint64_t instants, trades, quotes, locked, crossed, events;
    Ticks last_half_ticks;       // no_price before the first trade
};

// The share of a session's exogenous instants, and so of its expected volume, before a fraction of the session: 0..1.
double generated_volume_share(double session_fraction);

class GeneratedMarket {
public:
    explicit GeneratedMarket(const GeneratedMarketParameters& parameters);

    // When something next happens by itself or by our orders on their way; `never` after the close.
    Nanoseconds next_time() const;
    void step();
    // Everything up to and including `until`.
    void run_until(Nanoseconds until);

    // Our order or cancel leaves the desk at `time` (not before what has been run) and arrives after the latency.
    // Raises std::invalid_argument for a handle that was submitted before.
    void submit(const OwnOrder& order, Nanoseconds time);
    void cancel(std::uint64_t handle, std::uint8_t venue, Nanoseconds time);
    bool has_own_activity() const { return live_own_ > 0 || !arrivals_.empty() || !reports_.empty(); }
    Nanoseconds next_report() const { return reports_.empty() ? never : reports_.top().received; }
    // Reports received up to and including `until`, in order.
    std::vector<OwnReport> take_reports(Nanoseconds until);

    QuoteRow quote() const { return quote_; }
    QuoteRow venue_quote(std::size_t venue) const;
    MarketCounters counters(Nanoseconds now) const;
    std::vector<LevelView> depth(std::size_t venue, Side side, std::size_t levels) const;
    Lots quantity_ahead(std::uint64_t handle, std::size_t venue) const;
    double reference_price() const { return efficient_ + impact_ticks_; }

    // The latest `limit` rows with start <= time < end, in order; quotes count the one that stood at start.
    std::vector<QuoteRow> quotes(Nanoseconds start, Nanoseconds end, std::size_t limit) const;
    std::vector<TradeRow> trades(Nanoseconds start, Nanoseconds end, std::size_t limit) const;
    std::vector<BarRow> bars(Nanoseconds start, Nanoseconds end, Nanoseconds width) const;
    // Digest of all quotes and trades so far.
    std::uint64_t digest() const;

private:
    struct Arrival {
        Nanoseconds time;
        std::uint64_t sequence;
        OwnOrder order;
        bool is_cancel;
    };
    struct Later {
        bool operator()(const Arrival& a, const Arrival& b) const {
            return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
        }
        bool operator()(const OwnReport& a, const OwnReport& b) const {
            return a.received != b.received ? a.received > b.received : a.sequence > b.sequence;
        }
    };
    struct Resting {
        std::uint64_t id;
        Ticks price;
    };
    struct DarkOrder {
        std::uint64_t id;
        Ticks limit;  // no_price = none
        Lots remaining;
        Nanoseconds expires;
        Side side;
    };

    void prepare_day();
    void draw_next_instant();
    void open_books();
    void close_books();
    void instant();
    void move_efficient_price();
    void somebody_acts();
    void market_order(Side side, Lots quantity, Ticks limit, std::size_t first_venue);
    void add_order(std::size_t venue, Side side, double distance_draw, double place_draw, double size_draw);
    void cancel_order(std::size_t venue, Side side);
    void resolve_stale_quotes();
    void keep_both_sides();
    void dark_instant();
    void dark_order(DarkOrder order);
    void arrive(const Arrival& arrival);
    void send(std::size_t venue, OperationKind kind, Side side, Ticks price, Lots quantity, std::uint64_t id);
    void read_events(std::size_t venue);
    void trade(std::size_t venue, std::uint64_t maker, std::uint64_t taker, Ticks price_half_ticks, Lots quantity,
               Side maker_side, bool is_mid);
    void report(std::uint64_t handle, std::size_t venue, OwnReportKind kind, OwnReason reason, Lots quantity,
                Ticks price_half_ticks = no_price, OwnLiquidity liquidity = OwnLiquidity::added);
    void refresh_quote();
    Lots size(double mean, double draw) const;
    double half_spread_now() const;

    GeneratedMarketParameters p_;
    std::vector<double> clock_;       // cumulative expected instants at each minute
    std::vector<double> volatility_;  // multiplier per minute
    std::array<MatchingEngine, lit_venues> books_;
    std::array<std::array<std::vector<Resting>, 2>, lit_venues> resting_;
    std::array<std::array<std::int64_t, 2>, lit_venues> standing_{};  // live orders of others
    std::vector<DarkOrder> pool_;
    ImpactMemory memory_;
    double efficient_, impact_ticks_ = 0.0;
    double tick_volatility_;
    std::array<int, 5> signs_;

    CounterRandom times_, acts_, places_, sizes_, news_, flow_, stale_, dark_times_, dark_, resort_;
    std::uint64_t instant_ = 0, dark_instant_ = 0, next_id_ = 1, sequence_ = 0;
    double operational_ = 0.0, dark_operational_ = 0.0;
    Nanoseconds next_instant_ = never, next_dark_ = never, now_;
    bool is_open_ = false, is_over_ = false;

    QuoteRow quote_, quote_before_;
    MarketCounters counters_{};
    Nanoseconds quote_since_ = 0;
    std::vector<QuoteRow> quotes_;
    std::vector<TradeRow> trades_;
    std::priority_queue<Arrival, std::vector<Arrival>, Later> arrivals_;
    std::priority_queue<OwnReport, std::vector<OwnReport>, Later> reports_;
    std::vector<OwnOrder> own_;  // live in a book or the pool; quantity = remaining
    std::size_t live_own_ = 0;
    std::unordered_set<std::uint64_t> handles_;  // every one submitted
};

}  // namespace bestex::generated
