#include "bestex/replay.hpp"

#include <bit>
#include <queue>
#include <stdexcept>
#include <string>

#include "bestex/actions.hpp"
#include "bestex/quote_watches.hpp"

namespace bestex {

namespace {

struct Parent {
    DecisionParameters parameters;
    DecisionState state;
    std::uint32_t world = 0;
    std::uint32_t number_in_world = 0;
    std::uint32_t actions = 0;  // its own action counter
    std::uint32_t orders = 0;   // newest live order, 0 = none
    bool started = false, stopped = false;
    // What the algorithm has been told.
    Position known{0, 0, false};
    // Subscriptions; an action with another number is stale.
    Nanoseconds wake_at = never;
    std::uint32_t timer = 0;
    Lots wake_at_volume = unlimited;
    std::uint32_t volume_wait = 0;
    bool waits_for_quote = false;
    std::uint32_t quote_wait = 0;
    std::uint8_t wake_on_change = 0;
    PriceLevel wake_at_price;
    // Counters of the tape and of its world when it started.
    Lots traded_before = 0, passive_before = 0;
    ParentResult result{};
};

struct VolumeWait {
    Lots traded;  // of the whole tape
    std::uint32_t parent, number;
    bool operator<(const VolumeWait& other) const {
        if (traded != other.traded) return traded > other.traded;
        return parent != other.parent ? parent > other.parent : number > other.number;
    }
};

template <class Book>
class Pass final : public Replay {
    using Venue = Exchange<Book, Pass>;
    friend Venue;

public:
    Pass(const Tape& tape, const ReplayConfig& config, std::vector<ParentSpecification> specifications, std::uint32_t worlds)
        : tape_(tape), config_(config), venue_(tape, worlds, config.queue_model, *this), worlds_(worlds) {
        config_.latency.report = std::max(config_.latency.report, config_.latency.feed);
        std::vector<std::uint32_t> parents_of(worlds);
        parents_.reserve(specifications.size());
        for (const ParentSpecification& specification : specifications) {
            Parent parent;
            parent.parameters = specification.parameters;
            parent.world = specification.world;
            parent.number_in_world = parents_of[specification.world]++;
            parent.result.quantity = specification.parameters.quantity;
            parent.result.arrival_bid = parent.result.arrival_ask = no_price;
            parents_.push_back(parent);
        }
        for (std::uint32_t p = 0; p < parents_.size(); ++p) set_timer(p, parents_[p].parameters.start, INT64_MIN);
    }

    bool advance(std::uint32_t rows) override {
        const std::uint32_t from = next_row_;
        const auto to = static_cast<std::uint32_t>(std::min<std::uint64_t>(tape_.size(), std::uint64_t{from} + rows));
        const Row* const tape_rows = tape_.rows();
        while (next_row_ < to) {
            const Row& row = tape_rows[next_row_];
            if (row.kind == RowKind::time) {
                base_ = row.time_base();
            } else {
                const Nanoseconds time = base_ + row.time;
                if (quotes_.any() && time > now_) [[unlikely]] see_quote();
                if (time > actions_.due()) {
                    act_until(time - 1);
                    continue;
                }
                now_ = time;
            }
            ++next_row_;
            venue_.apply(row);
            if (venue_.traded() >= volume_due_) [[unlikely]] wake_volume_waits();
        }
        tape_.release(from, to);
        if (to < tape_.size()) return true;
        if (!closed_) close();
        return false;
    }

    std::vector<ParentResult> parents() const override {
        std::vector<ParentResult> results;
        results.reserve(parents_.size());
        for (const Parent& parent : parents_) results.push_back(parent.result);
        return results;
    }

    std::vector<WorldResult> worlds() const override {
        std::vector<WorldResult> results = worlds_;
        for (std::uint32_t w = 0; w < results.size(); ++w) {
            results[w].filled = venue_.world(w).passive + venue_.world(w).taken;
            results[w].displaced = venue_.world(w).displaced;
        }
        return results;
    }

    const std::vector<FillRow>& fills() const override { return fills_; }

private:
    // --- what is due ---

    void act_until(Nanoseconds time) {
        while (actions_.due() <= time) {
            const Action action = actions_.pop();
            now_ = action.time;
            act(action);
        }
    }

    void act(const Action& action) {
        Parent& parent = parents_[action.parent];
        switch (action.kind) {
            case ActionKind::timer:
                if (action.number != parent.timer || parent.wake_at == never) return;
                parent.wake_at = never;
                return decide_now(action.parent, parent.started ? Wake::timer : Wake::start);
            case ActionKind::volume:
                if (action.number != parent.volume_wait) return;
                return decide_now(action.parent, Wake::volume);
            case ActionKind::best_price:
            case ActionKind::price:
                if (action.number != parent.quote_wait || parent.waits_for_quote) return;
                return decide_now(action.parent, action.kind == ActionKind::price ? Wake::price : Wake::best_price);
            case ActionKind::arrive: {
                report_ = {};
                in_arrival_ = true;
                --venue_.orders()[action.order].awaited;
                venue_.arrive(action.order);
                in_arrival_ = false;
                if (report_.filled > 0 || report_.ends) send_report(action.order, report_);
                return;
            }
            case ActionKind::cancel: return cancel_all(action);
            case ActionKind::report: return report(action);
            case ActionKind::answered:
                parent.known.cancel_pending = false;
                return decide_now(action.parent, Wake::child_done);
        }
    }

    void report(const Action& action) {
        Parent& parent = parents_[action.parent];
        parent.known.filled += action.filled;
        parent.known.live -= action.filled + action.returned;
        OwnOrder& order = venue_.orders()[action.order];
        if (--order.awaited == 0 && order.state == OrderState::ended) forget(action.order);
        // The answer to a cancel follows at once; the algorithm decides when it has the whole of it.
        if (parent.known.cancel_pending && action.ends && action.filled == 0) return;
        decide_now(action.parent, action.ends ? Wake::child_done : Wake::fill);
    }

    void cancel_all(const Action& action) {
        Parent& parent = parents_[action.parent];
        for (std::uint32_t i = parent.orders, older; i != 0; i = older) {
            older = venue_.orders()[i].owner_next;
            if (venue_.orders()[i].number < action.number) venue_.cancel(i);
        }
        push({now_ + answer_delay(), action.parent, parent.actions++, ActionKind::answered, false, 0, 0, 0});
    }

    // --- the algorithm ---

    Nanoseconds answer_delay() const { return config_.latency.report - config_.latency.feed; }

    void decide_now(std::uint32_t p, Wake wake) {
        Parent& parent = parents_[p];
        if (parent.stopped) return;
        if (!parent.started) start(parent);
        const MarketView market{now_ + config_.latency.feed, venue_.best_price(Side::buy), venue_.best_price(Side::sell),
                                venue_.best_quantity(Side::buy), venue_.best_quantity(Side::sell), others_volume(parent)};
        const Decision decision = decide(parent.parameters, parent.state, parent.known, market, wake);
        for (std::uint8_t k = 0; k < decision.count; ++k) carry_out(p, decision.intents[k]);
        if (parent.state.done) {
            parent.stopped = true;
            parent.result.others_volume = others_volume(parent);
            wait_for_quote(p, 0, {});
            return;
        }
        set_timer(p, decision.wake_at, market.now);
        set_volume_wait(p, decision.wake_at_volume);
        wait_for_quote(p, decision.wake_on_change, decision.wake_at_price);
    }

    void start(Parent& parent) {
        parent.started = true;
        parent.traded_before = venue_.traded();
        parent.passive_before = venue_.world(parent.world).passive;
        parent.result.arrival_bid = venue_.best_price(Side::buy);
        parent.result.arrival_ask = venue_.best_price(Side::sell);
    }

    // The tape's volume, less what in this world was ours.
    Lots others_volume(const Parent& parent) const {
        return venue_.traded() - parent.traded_before - (venue_.world(parent.world).passive - parent.passive_before);
    }

    void carry_out(std::uint32_t p, const Intent& intent) {
        Parent& parent = parents_[p];
        const Nanoseconds arrives = now_ + config_.latency.feed + config_.latency.order;
        if (intent.kind == IntentKind::cancel_all) {
            parent.known.cancel_pending = true;
            push({arrives, p, parent.actions++, ActionKind::cancel, false, 0, 0, 0});
            return;
        }
        if (intent.quantity <= 0 || parent.known.filled + parent.known.live + intent.quantity > parent.parameters.quantity) {
            throw std::logic_error("parent " + std::to_string(p) + " wants to send " + std::to_string(intent.quantity) +
                                   " lots with " + std::to_string(parent.known.filled) + " filled and " +
                                   std::to_string(parent.known.live) + " live of " + std::to_string(parent.parameters.quantity));
        }
        OwnOrder order;
        order.remaining = order.quantity = intent.quantity;
        order.price = intent.price;
        order.kind = intent.kind == IntentKind::market      ? OrderKind::market
                     : intent.kind == IntentKind::post_only ? OrderKind::post_only
                                                            : OrderKind::immediate;
        order.side = parent.parameters.side;
        order.world = parent.world;
        order.owner = p;
        order.awaited = 1;
        order.number = parent.actions++;
        order.owner_next = parent.orders;
        const std::uint32_t i = venue_.orders().create(order);
        if (parent.orders != 0) venue_.orders()[parent.orders].owner_previous = i;
        parent.orders = i;
        parent.known.live += intent.quantity;
        parent.result.planned += intent.quantity;
        ++parent.result.child_orders;
        push({arrives, p, order.number, ActionKind::arrive, false, i, 0, 0});
    }

    void forget(std::uint32_t i) {
        OwnOrder& order = venue_.orders()[i];
        (order.owner_previous != 0 ? venue_.orders()[order.owner_previous].owner_next : parents_[order.owner].orders) = order.owner_next;
        if (order.owner_next != 0) venue_.orders()[order.owner_next].owner_previous = order.owner_previous;
        venue_.orders().recycle(i);
    }

    void set_timer(std::uint32_t p, Nanoseconds desk_time, Nanoseconds desk_now) {
        Parent& parent = parents_[p];
        if (desk_time != never) desk_time = std::max(desk_time, desk_now == INT64_MIN ? INT64_MIN : desk_now + 1);
        if (desk_time == parent.wake_at) return;
        parent.wake_at = desk_time;
        if (desk_time == never) return;
        parent.timer = parent.actions++;
        push({desk_time - config_.latency.feed, p, parent.timer, ActionKind::timer, false, 0, 0, 0});
    }

    void set_volume_wait(std::uint32_t p, Lots others) {
        Parent& parent = parents_[p];
        if (others == parent.wake_at_volume) return;
        parent.wake_at_volume = others;
        parent.volume_wait = parent.actions++;
        if (others != unlimited) wait_for_volume(p);
    }

    // The tape must trade this much before the others can have: our own passive fills only move it further away.
    void wait_for_volume(std::uint32_t p) {
        const Parent& parent = parents_[p];
        const Lots missing = parent.wake_at_volume - others_volume(parent);
        volume_waits_.push({venue_.traded() + std::max<Lots>(missing, 1), p, parent.volume_wait});
        volume_due_ = volume_waits_.top().traded;
    }

    void wake_volume_waits() {
        while (!volume_waits_.empty() && volume_waits_.top().traded <= venue_.traded()) {
            const VolumeWait wait = volume_waits_.top();
            volume_waits_.pop();
            Parent& parent = parents_[wait.parent];
            if (wait.number != parent.volume_wait || parent.stopped) continue;
            if (others_volume(parent) < parent.wake_at_volume) {
                wait_for_volume(wait.parent);
                continue;
            }
            push({now_, wait.parent, parent.volume_wait, ActionKind::volume, false, 0, 0, 0});
            parent.wake_at_volume = unlimited;
        }
        volume_due_ = volume_waits_.empty() ? unlimited : volume_waits_.top().traded;
    }

    void wait_for_quote(std::uint32_t p, std::uint8_t changes, const PriceLevel& level) {
        Parent& parent = parents_[p];
        const bool waits = changes != 0 || level.half_ticks != no_price;
        if (waits && parent.waits_for_quote && changes == parent.wake_on_change && level == parent.wake_at_price) return;
        if (parent.waits_for_quote) quotes_.leave();
        parent.waits_for_quote = waits;
        parent.quote_wait = waits ? parent.actions++ : UINT32_MAX;  // a wake under way for the answer before is stale
        if (!waits) return;
        parent.wake_on_change = changes;
        parent.wake_at_price = level;
        if (!quotes_.any()) quotes_.begin(venue_.best_price(Side::buy), venue_.best_price(Side::sell));
        quotes_.wait({p, parent.quote_wait}, parent.parameters.side, changes, level);
    }

    // The rows of an instant are applied.
    void see_quote() {
        quotes_.see(venue_.best_price(Side::buy), venue_.best_price(Side::sell), [&](QuoteWatches::Waiter waiter, Wake wake) {
            Parent& parent = parents_[waiter.parent];
            if (!parent.waits_for_quote || parent.quote_wait != waiter.number) return false;
            parent.waits_for_quote = false;
            push({now_, waiter.parent, waiter.number, wake == Wake::price ? ActionKind::price : ActionKind::best_price, false, 0, 0, 0});
            return true;
        });
    }

    void push(const Action& action) { actions_.push(action); }

    // --- what happens to our orders ---

    void on_fill(std::uint32_t i, Lots quantity, std::int64_t price_half_ticks, Liquidity liquidity) {
        const OwnOrder& order = venue_.orders()[i];
        ParentResult& result = parents_[order.owner].result;
        result.filled += quantity;
        result.notional_half_ticks += static_cast<__int128>(price_half_ticks) * quantity;
        result.fees += quantity * (liquidity == Liquidity::added ? config_.fees.maker : config_.fees.taker);
        if (result.fills++ == 0) result.first_fill = now_;
        result.last_fill = now_;
        WorldResult& world = worlds_[order.world];
        ++world.fills;
        const auto mix = [&](std::uint64_t word) {
            world.fill_hash = std::rotl(world.fill_hash ^ word * 0x9E3779B97F4A7C15u, 29) * 0xBF58476D1CE4E5B9u;
        };
        mix(venue_.rows_applied());
        mix(static_cast<std::uint64_t>(price_half_ticks));
        mix(static_cast<std::uint64_t>(quantity) << 2 | static_cast<std::uint64_t>(liquidity));
        mix(parents_[order.owner].number_in_world);
        if (config_.keep_fills) {
            fills_.push_back({now_, price_half_ticks, quantity, order.world, order.owner, venue_.rows_applied(), liquidity, {}});
        }
        if (in_arrival_) {
            report_.filled += quantity;
        } else if (order.remaining > 0) {
            send_report(i, {quantity, 0, false});
        } else {
            last_fill_ = quantity;  // on_done follows and reports it
        }
    }

    void on_done(std::uint32_t i, Lots returned, Ended) {
        parents_[venue_.orders()[i].owner].result.returned += returned;
        if (in_arrival_) {
            report_.returned = returned;
            report_.ends = true;
        } else if (!closed_) {
            send_report(i, {last_fill_, returned, true});
        }
        last_fill_ = 0;
    }

    struct Report {
        Lots filled = 0, returned = 0;
        bool ends = false;
    };

    void send_report(std::uint32_t i, const Report& report) {
        OwnOrder& order = venue_.orders()[i];
        ++order.awaited;
        push({now_ + answer_delay(), order.owner, parents_[order.owner].actions++, ActionKind::report, report.ends, i,
              report.filled, report.returned});
    }

    // The tape is over: what is due at its last instant happens, then everything still live is given back.
    void close() {
        if (quotes_.any()) see_quote();
        act_until(now_);
        closed_ = true;
        for (std::uint32_t p = 0; p < parents_.size(); ++p) {
            Parent& parent = parents_[p];
            if (!parent.stopped && parent.started) parent.result.others_volume = others_volume(parent);
            for (std::uint32_t i = parent.orders; i != 0; i = venue_.orders()[i].owner_next) {
                if (venue_.orders()[i].state == OrderState::travelling) parent.result.returned += venue_.orders()[i].remaining;
                else venue_.cancel(i, Ended::closed);
            }
            const ParentResult& r = parent.result;
            if (r.planned != r.filled + r.returned || r.filled > r.quantity) {
                throw std::logic_error("parent " + std::to_string(p) + " planned " + std::to_string(r.planned) + " lots, but " +
                                       std::to_string(r.filled) + " filled and " + std::to_string(r.returned) + " came back");
            }
        }
    }

    const Tape& tape_;
    ReplayConfig config_;
    Actions actions_;
    Venue venue_;
    std::vector<Parent> parents_;
    std::vector<WorldResult> worlds_;
    std::vector<FillRow> fills_;
    std::priority_queue<VolumeWait> volume_waits_;
    QuoteWatches quotes_;
    Lots volume_due_ = unlimited;
    std::uint32_t next_row_ = 0;
    Nanoseconds base_ = 0, now_ = 0;
    Report report_;
    Lots last_fill_ = 0;
    bool in_arrival_ = false, closed_ = false;
};

}  // namespace

std::unique_ptr<Replay> Replay::create(const Tape& tape, const ReplayConfig& config, std::vector<ParentSpecification> parents) {
    std::uint32_t worlds = 0;
    for (const ParentSpecification& parent : parents) worlds = std::max(worlds, parent.world + 1);
    if (worlds > parents.size()) {
        throw std::invalid_argument("world " + std::to_string(worlds - 1) + " of " + std::to_string(parents.size()) +
                                    " parents leaves a world without a parent; number worlds 0, 1, 2, ...");
    }
    for (std::size_t p = 0; p < parents.size(); ++p) {
        if (parents[p].parameters.quantity <= 0) {
            throw std::invalid_argument("quantity of parent " + std::to_string(p) + " is " +
                                        std::to_string(parents[p].parameters.quantity) + "; it must be positive");
        }
    }
    if (tape.flavour() == Flavour::l3) return std::make_unique<Pass<BookL3>>(tape, config, std::move(parents), worlds);
    return std::make_unique<Pass<BookL2>>(tape, config, std::move(parents), worlds);
}

}  // namespace bestex
