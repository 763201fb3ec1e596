// Many executions over one tape in one pass.
//
// Each parent order is worked by the decision step it would have live. Parents of one world share what they take;
// worlds never meet, so each world's fills are the same alone or in company, bit for bit.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bestex/decision.hpp"
#include "bestex/exchange.hpp"
#include "bestex/tape.hpp"

namespace bestex {

// One-way delays in ns: the market's data to us, our orders to the venue, the venue's reports to us. A report is never
// younger than the data beside it: report_delay below feed_delay counts as feed_delay.
struct Latency {
    Nanoseconds feed = 0, order = 0, report = 0;
};

// Per lot, in millionths of the currency; a rebate is negative. A midpoint fill pays the taker's.
struct Fees {
    std::int64_t maker = 0, taker = 0;
};

struct ReplayConfig {
    Latency latency;
    Fees fees;
    QueueModel queue_model = QueueModel::pro_rata;
    bool keep_fills = false;
};

struct ParentSpecification {
    std::uint32_t world;
    DecisionParameters parameters;  // the curve must live as long as the replay
};

// planned = open + filled + returned for the child orders of a parent; at the end nothing is open.
struct ParentResult {
    Lots quantity, planned, filled, returned;
    __int128 notional_half_ticks;   // sum of price in half ticks x lots
    std::int64_t fees;              // millionths of the currency
    Nanoseconds first_fill, last_fill;  // 0 without a fill
    Ticks arrival_bid, arrival_ask;     // when the parent started; no_price where that side was empty
    std::int64_t child_orders, fills;
    Lots others_volume;             // traded by everyone else from its start to its end (or the tape's)
};

struct WorldResult {
    std::uint64_t fill_hash;  // of every fill's row, price, quantity and liquidity, in order
    Lots filled, displaced;
    std::int64_t fills;
};

struct FillRow {
    Nanoseconds time;  // at the venue
    std::int64_t price_half_ticks;
    Lots quantity;
    std::uint32_t world, parent, row;
    Liquidity liquidity;
    std::uint8_t pad[3];
};
static_assert(sizeof(FillRow) == 40);

class Replay {
public:
    // The parents of a world keep their order; it breaks ties at one time. Raises std::invalid_argument for a world
    // number that leaves a gap or a quantity that is not positive.
    static std::unique_ptr<Replay> create(const Tape& tape, const ReplayConfig& config, std::vector<ParentSpecification> parents);
    virtual ~Replay() = default;

    // Applies up to `rows` rows and what falls due among them. False when the tape is over and the books are closed.
    virtual bool advance(std::uint32_t rows) = 0;

    virtual std::vector<ParentResult> parents() const = 0;
    virtual std::vector<WorldResult> worlds() const = 0;
    virtual const std::vector<FillRow>& fills() const = 0;
};

}  // namespace bestex
