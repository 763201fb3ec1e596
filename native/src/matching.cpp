#include "bestex/matching.hpp"

#include <stdexcept>

namespace bestex::matching {

// Before the ladder is made: one for four billion levels would take all the memory there is.
static Ticks checked(Ticks lowest_price, std::uint32_t levels) {
    if (levels == 0 || levels > 262'144 || levels % 64 != 0)
        throw std::invalid_argument("levels must be a multiple of 64 from 64 to 262144");
    if (lowest_price < -1'000'000'000 || lowest_price > 1'000'000'000)
        throw std::invalid_argument("lowest_price must be within 1e9 ticks of zero");
    return lowest_price;
}

MatchingEngine::MatchingEngine(Ticks lowest_price, std::uint32_t levels)
    : lowest_(checked(lowest_price, levels)),
      levels_(static_cast<std::int32_t>(levels)),
      best_{-1, static_cast<std::int32_t>(levels)},
      ladder_{std::vector<Level>(levels, Level{none, none, 0}), std::vector<Level>(levels, Level{none, none, 0})},
      set_{LevelSet(levels), LevelSet(levels)},
      pegs_{Level{none, none, 0}, Level{none, none, 0}} {
    nodes_.reserve(4096);
    events_.resize(1024);
}

[[gnu::always_inline]] inline void MatchingEngine::unlink(std::uint32_t at) {
    const Node& node = nodes_[at];
    const int side = static_cast<int>(node.side);
    Level& queue = node.level == peg_level ? pegs_[side] : ladder_[side][node.level];
    if (node.prev == none) queue.head = node.next;
    else nodes_[node.prev].next = node.next;
    if (node.next == none) queue.tail = node.prev;
    else nodes_[node.next].prev = node.prev;
    if (queue.head == none && node.level != peg_level) {
        set_[side].erase(static_cast<std::uint32_t>(node.level));
        if (node.level == best_[side]) refresh_best(side);
    }
    nodes_[at].next = free_;
    free_ = at;
}

[[gnu::always_inline]] inline std::uint32_t MatchingEngine::allocate() {
    if (free_ != none) {
        const std::uint32_t at = free_;
        free_ = nodes_[at].next;
        return at;
    }
    nodes_.push_back({});
    return static_cast<std::uint32_t>(nodes_.size() - 1);
}

void MatchingEngine::reject(const Operation& o, MatchReason reason) {
    emit({o.id, 0, 0, static_cast<std::uint32_t>(o.quantity), 0, MatchKind::rejected, o.side, reason, 0});
}

bool MatchingEngine::is_valid(const Operation& o, bool needs_price) {
    if (o.quantity <= 0) return reject(o, MatchReason::bad_quantity), false;
    const std::int64_t level = o.price - lowest_;
    if (needs_price && (level < 0 || level >= levels_)) return reject(o, MatchReason::price_out_of_range), false;
    return true;
}

void MatchingEngine::apply(const Operation& o) {
    switch (o.kind) {
        case OperationKind::limit:
            if (is_valid(o, true)) enter(o, false);
            return;
        case OperationKind::cancel:
            return cancel(o.id, MatchReason::asked);
        case OperationKind::immediate:
            if (is_valid(o, o.price != any_price)) enter(o, true);
            return;
        case OperationKind::post_only: {
            if (!is_valid(o, true)) return;
            const std::int32_t level = static_cast<std::int32_t>(o.price - lowest_);
            const bool crosses_lit = o.side == Side::buy ? level >= best_[1] : level <= best_[0];
            const Ticks mid = has_pegs() ? midpoint_half_ticks() : no_price;
            const bool crosses_peg = mid != no_price && peg_quantity_[1 - static_cast<int>(o.side)] > 0 &&
                                     sign(o.side) * (2 * Ticks{o.price} - mid) >= 0;
            if (crosses_lit || crosses_peg) return reject(o, MatchReason::would_cross);
            if (!rest(o, static_cast<std::uint32_t>(o.quantity), level)) reject(o, MatchReason::duplicate_id);
            return;
        }
        case OperationKind::amend:
            return amend(o);
        case OperationKind::midpoint_peg:
            if (is_valid(o, false)) enter_peg(o);
            return;
    }
    reject(o, MatchReason::bad_quantity);
}

void MatchingEngine::enter(const Operation& o, bool is_immediate) {
    const std::int32_t level = o.price == any_price ? (o.side == Side::buy ? levels_ - 1 : 0)
                                                    : static_cast<std::int32_t>(o.price - lowest_);
    const std::uint32_t wanted = static_cast<std::uint32_t>(o.quantity);
    const bool crosses = o.side == Side::buy ? level >= best_[1] : level <= best_[0];
    std::uint32_t left = wanted;
    if (crosses || has_pegs() || is_immediate) {
        if (index_.find(o.id) != none) return reject(o, MatchReason::duplicate_id);
        left = take(o, wanted, 2 * (lowest_ + level), true);
    }
    if (left == 0) return;
    if (is_immediate) {
        emit({o.id, 0, 0, left, 0, MatchKind::cancelled, o.side, MatchReason::no_more_liquidity, 0});
        return;
    }
    if (!rest(o, left, level)) reject(o, MatchReason::duplicate_id);
}

void MatchingEngine::enter_peg(const Operation& o) {
    if (index_.find(o.id) != none) return reject(o, MatchReason::duplicate_id);
    const Ticks mid = midpoint_half_ticks();
    std::uint32_t left = static_cast<std::uint32_t>(o.quantity);
    if (mid != no_price) left = take(o, left, mid, false);
    if (left > 0) rest(o, left, peg_level);
}

// Takes up to `wanted` from the other side at the limit or better, pegs first; returns what is left.
std::uint32_t MatchingEngine::take(const Operation& o, std::uint32_t wanted, std::int64_t limit_half_ticks, bool takes_lit) {
    const int other = 1 - static_cast<int>(o.side);
    if (peg_quantity_[other] > 0) {
        const Ticks mid = midpoint_half_ticks();
        if (mid != no_price && sign(o.side) * (limit_half_ticks - mid) >= 0)
            wanted = take_queue(o, wanted, pegs_[other].head, static_cast<std::int32_t>(mid));
    }
    if (!takes_lit) return wanted;
    while (wanted > 0) {
        const std::int32_t level = best_[other];
        if (level < 0 || level >= levels_) break;
        const Ticks price = 2 * (lowest_ + level);
        if (sign(o.side) * (limit_half_ticks - price) < 0) break;
        wanted = take_queue(o, wanted, ladder_[other][level].head, static_cast<std::int32_t>(price));
    }
    return wanted;
}

std::uint32_t MatchingEngine::take_queue(const Operation& o, std::uint32_t wanted, std::uint32_t& head, std::int32_t price) {
    while (wanted > 0 && head != none) {
        const std::uint32_t at = head;
        Node& node = nodes_[at];
        const bool is_hidden = node.level == peg_level;
        if (o.owner != 0 && node.owner == o.owner) [[unlikely]] {
            cancel(node.id, MatchReason::self_trade);
            continue;
        }
        const std::uint32_t quantity = wanted < node.remaining ? wanted : node.remaining;
        wanted -= quantity;
        node.remaining -= quantity;
        const int side = static_cast<int>(node.side);
        if (is_hidden) peg_quantity_[side] -= quantity;
        else ladder_[side][node.level].quantity -= quantity;
        emit({node.id, o.id, price, quantity, node.remaining, MatchKind::traded, node.side,
                           MatchReason::none, is_hidden});
        if (node.remaining == 0) {
            index_.erase(node.id);
            unlink(at);
        }
    }
    return wanted;
}

bool MatchingEngine::rest(const Operation& o, std::uint32_t quantity, std::int32_t level) {
    const std::uint32_t at = allocate();
    if (!index_.insert(o.id, at)) {
        nodes_[at].next = free_;
        free_ = at;
        return false;
    }
    const int side = static_cast<int>(o.side);
    Level& queue = level == peg_level ? pegs_[side] : ladder_[side][level];
    nodes_[at] = {none, queue.tail, quantity, o.owner, o.id, level, o.side, {}};
    if (queue.tail != none) {
        nodes_[queue.tail].next = at;
    } else {
        queue.head = at;
        if (level != peg_level) {
            set_[side].insert(static_cast<std::uint32_t>(level));
            if (side == 0 ? level > best_[0] : level < best_[1]) best_[side] = level;
        }
    }
    queue.tail = at;
    if (level == peg_level) peg_quantity_[side] += quantity;
    else queue.quantity += quantity;
    const std::int32_t price = level == peg_level ? 0 : static_cast<std::int32_t>(2 * (lowest_ + level));
    emit({o.id, 0, price, quantity, quantity, MatchKind::rested, o.side, MatchReason::none,
                       level == peg_level});
    return true;
}

void MatchingEngine::cancel(std::uint64_t id, MatchReason reason) {
    const std::uint32_t at = index_.erase(id);
    if (at == none) {
        emit({id, 0, 0, 0, 0, MatchKind::rejected, Side::buy, MatchReason::unknown_id, 0});
        return;
    }
    const Node node = nodes_[at];
    const int side = static_cast<int>(node.side);
    if (node.level == peg_level) peg_quantity_[side] -= node.remaining;
    else ladder_[side][node.level].quantity -= node.remaining;
    unlink(at);
    emit({id, 0, 0, node.remaining, 0, MatchKind::cancelled, node.side, reason, node.level == peg_level});
}

void MatchingEngine::amend(const Operation& o) {
    const std::uint32_t at = index_.find(o.id);
    if (at == none) return reject(o, MatchReason::unknown_id);
    Node& node = nodes_[at];
    if (node.level == peg_level) return reject(o, MatchReason::not_amendable);
    Operation entered = o;
    entered.side = node.side;
    entered.owner = node.owner;
    if (!is_valid(entered, true)) return;
    const std::int32_t level = static_cast<std::int32_t>(o.price - lowest_);
    const std::uint32_t wanted = static_cast<std::uint32_t>(o.quantity);
    if (level == node.level && wanted <= node.remaining) {
        const std::uint32_t given_back = node.remaining - wanted;
        ladder_[static_cast<int>(node.side)][level].quantity -= given_back;
        node.remaining = wanted;
        emit({o.id, 0, static_cast<std::int32_t>(2 * (lowest_ + level)), given_back, wanted,
                           MatchKind::reduced, node.side, MatchReason::asked, 0});
        return;
    }
    const std::uint32_t left = node.remaining;
    ladder_[static_cast<int>(node.side)][node.level].quantity -= left;
    index_.erase(o.id);
    unlink(at);
    emit({o.id, 0, 0, left, 0, MatchKind::replaced, entered.side, MatchReason::asked, 0});
    enter(entered, false);
}

// The next level with orders behind this one; what `best_` holds for an empty side where there is none.
std::int32_t MatchingEngine::worse(int side, std::int32_t level) const {
    const auto from = static_cast<bestex::Level>(level);
    const bestex::Level found = side == 0 ? set_[0].below(from) : set_[1].above(from);
    return found == no_level ? (side == 0 ? -1 : levels_) : static_cast<std::int32_t>(found);
}

void MatchingEngine::refresh_best(int side) {
    best_[side] = worse(side, best_[side]);
}

Lots MatchingEngine::quantity_at(Side side, Ticks price) const {
    const Ticks level = price - lowest_;
    if (level < 0 || level >= levels_) return 0;
    return static_cast<Lots>(ladder_[static_cast<int>(side)][static_cast<std::size_t>(level)].quantity);
}

Lots MatchingEngine::open_quantity(std::uint64_t id) const {
    const std::uint32_t at = index_.find(id);
    return at == none ? 0 : nodes_[at].remaining;
}

Lots MatchingEngine::quantity_ahead(std::uint64_t id) const {
    const std::uint32_t at = index_.find(id);
    if (at == none || nodes_[at].level == peg_level) return -1;
    Lots ahead = 0;
    for (std::uint32_t i = nodes_[at].prev; i != none; i = nodes_[i].prev) ahead += nodes_[i].remaining;
    return ahead;
}

std::uint64_t MatchingEngine::first_order_at(Side side, Ticks price) const {
    const Ticks level = price - lowest_;
    if (level < 0 || level >= levels_) return 0;
    const std::uint32_t head = ladder_[static_cast<int>(side)][static_cast<std::size_t>(level)].head;
    return head == none ? 0 : nodes_[head].id;
}

std::vector<LevelView> MatchingEngine::depth(Side side, std::size_t levels) const {
    std::vector<LevelView> found;
    const int s = static_cast<int>(side);
    for (std::int32_t level = best_[s]; found.size() < levels && level >= 0 && level < levels_;) {
        const Level& queue = ladder_[s][level];
        std::uint32_t orders = 0;
        for (std::uint32_t i = queue.head; i != none; i = nodes_[i].next) ++orders;
        found.push_back({lowest_ + level, static_cast<Lots>(queue.quantity), orders});
        level = worse(s, level);
    }
    return found;
}

void MatchingEngine::set_midpoint(Ticks half_ticks) {
    has_own_midpoint_ = false;
    midpoint_ = half_ticks;
}

void MatchingEngine::use_own_midpoint() { has_own_midpoint_ = true; }

Ticks MatchingEngine::midpoint_half_ticks() const {
    const Ticks bid = best_bid(), ask = best_ask();
    if (bid == no_price || ask == no_price) return no_price;
    if (has_own_midpoint_) return bid + ask;
    return midpoint_ != no_price && midpoint_ > 2 * bid && midpoint_ < 2 * ask ? midpoint_ : no_price;
}

void MatchingEngine::clear() {
    for (int side = 0; side < 2; ++side) {
        ladder_[side].assign(ladder_[side].size(), Level{none, none, 0});
        set_[side].clear();
        pegs_[side] = {none, none, 0};
        peg_quantity_[side] = 0;
    }
    best_ = {-1, levels_};
    nodes_.clear();
    free_ = none;
    index_.clear();
    event_count_ = 0;
}

MatchingSummary run_operations(MatchingEngine& engine, std::span<const Operation> operations, bool with_digest) {
    MatchingSummary summary{0, 0, 0, 0xcbf29ce484222325ull};
    const auto drain = [&] {
        for (const MatchEvent& event : engine.events()) {
            ++summary.events;
            if (event.kind == MatchKind::traded) {
                ++summary.trades;
                summary.traded_lots += event.quantity;
            }
            if (!with_digest) continue;
            const std::uint64_t words[] = {event.order, event.taker,
                                           static_cast<std::uint64_t>(static_cast<std::uint32_t>(event.price_half_ticks)) << 32 |
                                               event.quantity,
                                           static_cast<std::uint64_t>(event.remaining) << 32 |
                                               static_cast<std::uint64_t>(event.kind) << 24 |
                                               static_cast<std::uint64_t>(event.side) << 16 |
                                               static_cast<std::uint64_t>(event.reason) << 8 | event.is_hidden};
            for (const std::uint64_t word : words) summary.digest = (summary.digest ^ word) * 0x100000001b3ull;
        }
        engine.clear_events();
    };
    std::size_t since = 0;
    for (const Operation& operation : operations) {
        engine.apply(operation);
        if (++since == 64) {
            drain();
            since = 0;
        }
    }
    drain();
    return summary;
}

}  // namespace bestex::matching
