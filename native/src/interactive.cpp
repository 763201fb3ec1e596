#include "bestex/interactive.hpp"

#include <algorithm>
#include <deque>
#include <queue>
#include <stdexcept>
#include <string>
#include <unordered_map>

namespace bestex {

namespace {

enum class Ask : std::uint8_t { submit, cancel, amend };

struct Request {
    Nanoseconds time;
    std::uint64_t number;  // of the call
    std::uint64_t key;
    Lots quantity;
    Ticks price;
    Ask ask;
    OrderKind kind;
    Side side;
    bool operator<(const Request& other) const {
        return time != other.time ? time > other.time : number > other.number;
    }
};

template <class Book>
class Desk final : public InteractiveReplay {
    using Venue = Exchange<Book, Desk>;
    friend Venue;

public:
    Desk(const Tape& tape, const InteractiveConfig& config)
        : tape_(tape), config_(config), venue_(tape, 1, config.queue_model, *this), now_(tape.header().first_time - 1),
          close_(std::max(config.close, tape.header().last_time)) {}

    void submit(std::uint64_t key, OrderKind kind, Side side, Lots quantity, Ticks price, Nanoseconds arrives) override {
        if (quantity <= 0) throw std::invalid_argument("quantity " + std::to_string(quantity) + " must be at least 1 lot");
        const bool needs_price = kind == OrderKind::immediate || kind == OrderKind::limit || kind == OrderKind::post_only;
        if (needs_price && price == no_price) throw std::invalid_argument("this kind of order needs a price");
        if (kind == OrderKind::market && price != no_price) throw std::invalid_argument("a market order has no price");
        ask({std::max(arrives, now_), 0, key, quantity, price, Ask::submit, kind, side});
    }

    void cancel(std::uint64_t key, Nanoseconds arrives) override {
        ask({std::max(arrives, now_), 0, key, 0, no_price, Ask::cancel, OrderKind::market, Side::buy});
    }

    void amend(std::uint64_t key, Lots quantity, Ticks price, Nanoseconds arrives) override {
        if (quantity <= 0) throw std::invalid_argument("quantity " + std::to_string(quantity) + " must be at least 1 lot");
        ask({std::max(arrives, now_), 0, key, quantity, price, Ask::amend, OrderKind::market, Side::buy});
    }

    std::vector<Report> advance(Nanoseconds until) override {
        if (until < now_) {
            throw std::invalid_argument("until " + std::to_string(until) + " lies before now, " + std::to_string(now_));
        }
        while (true) {
            stop_ = until;
            if (!requests_.empty()) stop_ = std::min(stop_, requests_.top().time);
            if (!reports_.empty()) stop_ = std::min(stop_, reports_.front().received_time);
            if (!closed_) stop_ = std::min(stop_, close_);
            apply_rows();
            integrate(stop_);
            now_ = stop_;
            while (!requests_.empty() && requests_.top().time <= now_) {
                const Request request = requests_.top();
                requests_.pop();
                act(request);
            }
            if (!closed_ && now_ >= close_) close();
            std::vector<Report> received;
            while (!reports_.empty() && reports_.front().received_time <= now_) {
                received.push_back(reports_.front());
                reports_.pop_front();
            }
            if (!received.empty() || now_ == until) return received;
        }
    }

    Nanoseconds now() const override { return now_; }

    Nanoseconds next_time() const override {
        Nanoseconds next = closed_ ? never : close_;
        if (!requests_.empty()) next = std::min(next, requests_.top().time);
        if (!reports_.empty()) next = std::min(next, reports_.front().received_time);
        if (next_row_ < tape_.size()) {
            const Row& row = tape_.rows()[next_row_];
            next = std::min(next, row.kind == RowKind::time ? row.time_base() : base_ + row.time);
        }
        return std::max(next, now_);
    }

    Snapshot snapshot() const override {
        Snapshot s = counters_;
        s.now = now_;
        s.bid = venue_.best_price(Side::buy);
        s.ask = venue_.best_price(Side::sell);
        s.bid_quantity = venue_.best_quantity(Side::buy);
        s.ask_quantity = venue_.best_quantity(Side::sell);
        s.displaced = venue_.world(0).displaced;
        s.is_halted = venue_.is_halted();
        s.is_closed = closed_;
        return s;
    }

    std::vector<DepthLevel> depth(Side side, std::size_t levels) const override {
        std::vector<DepthLevel> found;
        const Book& book = venue_.book();
        for (Level level = book.best(side); level != no_level && found.size() < levels; level = book.next(side, level)) {
            std::int64_t orders = -1;
            if constexpr (Book::flavour == Flavour::l3) orders = book.orders(side, level);
            found.push_back({tape_.price(level), book.quantity(side, level), orders});
        }
        return found;
    }

    OpenOrder open_order(std::uint64_t key) const override {
        const auto found = orders_.find(key);
        if (found == orders_.end() || found->second == 0) return {0, 0};
        return {venue_.orders()[found->second].remaining, venue_.ahead_of(found->second)};
    }

private:
    void ask(Request request) {
        request.number = calls_++;
        requests_.push(request);
    }

    // --- the tape ---

    // Rows up to stop_, which a report of ours brings nearer.
    void apply_rows() {
        while (next_row_ < tape_.size()) {
            const Row& row = tape_.rows()[next_row_];
            if (row.kind == RowKind::time) {
                base_ = row.time_base();
                venue_.apply(row);
            } else {
                const Nanoseconds time = base_ + row.time;
                if (time > stop_) return;
                if (time > now_) {
                    integrate(time);
                    now_ = time;
                }
                venue_.apply(row);
                count(row);
                instant_open_ = true;
            }
            if (++next_row_ % rows_per_chunk == 0) tape_.release(next_row_ - rows_per_chunk, next_row_);
        }
    }

    // The quote that stood until `time` is known when the next instant begins.
    void integrate(Nanoseconds time) {
        if (time <= integrated_to_ || closed_) return;
        const Level bid = venue_.book().best(Side::buy), ask = venue_.book().best(Side::sell);
        if (bid != no_level && ask != no_level) {
            if (bid < ask) {
                counters_.mid_half_ticks_ns += static_cast<__int128>(tape_.price(bid) + tape_.price(ask)) * (time - integrated_to_);
                counters_.mid_ns += time - integrated_to_;
            } else if (instant_open_) {
                ++(bid > ask ? counters_.crossed_quotes : counters_.locked_quotes);
            }
        }
        instant_open_ = false;
        integrated_to_ = time;
    }

    void count(const Row& row) {
        if (row.kind < RowKind::fill || row.kind > RowKind::cross) return;
        const bool half = row.kind >= RowKind::hidden && row.order != 0;
        print(2 * tape_.price(tape_.level(row)) + half, row.quantity);
        if (row.kind == RowKind::cross) counters_.auction_volume += row.quantity;
    }

    void print(std::int64_t price_half_ticks, Lots quantity) {
        counters_.volume += quantity;
        counters_.notional_half_ticks += static_cast<__int128>(price_half_ticks) * quantity;
        counters_.last_price_half_ticks = price_half_ticks;
        ++counters_.trades;
    }

    // --- requests reach the venue ---

    void act(const Request& request) {
        const auto found = orders_.find(request.key);
        switch (request.ask) {
            case Ask::submit:
                if (found != orders_.end()) return say(request.key, ReportKind::rejected, request.quantity, Reason::repeated_key);
                if (closed_) {
                    orders_[request.key] = 0;
                    return say(request.key, ReportKind::rejected, request.quantity, Reason::closed);
                }
                return arrive(request);
            case Ask::cancel:
                if (found == orders_.end()) return say(request.key, ReportKind::cancelled, 0, Reason::unknown_key);
                if (found->second != 0) venue_.cancel(found->second);
                return;
            case Ask::amend:
                if (found == orders_.end()) return say(request.key, ReportKind::rejected, 0, Reason::unknown_key);
                if (found->second == 0) return;
                accepting_ = ReportKind::amended;
                accepting_key_ = request.key;
                accepting_quantity_ = request.quantity;
                venue_.amend(found->second, request.quantity,
                             request.price == no_price ? venue_.orders()[found->second].price : request.price);
                return accept();
        }
    }

    void arrive(const Request& request) {
        OwnOrder order;
        order.remaining = order.quantity = request.quantity;
        order.price = request.price;
        order.key = request.key;
        order.kind = request.kind;
        order.side = request.side;
        const std::uint32_t i = venue_.orders().create(order);
        orders_[request.key] = i;
        accepting_ = ReportKind::accepted;
        accepting_key_ = request.key;
        accepting_quantity_ = request.quantity;
        venue_.arrive(i);
        accept();
    }

    // An order is accepted before its first fill is told; a refused one never is.
    void accept() {
        if (accepting_ == ReportKind::rejected) return;
        const ReportKind kind = accepting_;
        accepting_ = ReportKind::rejected;
        say(accepting_key_, kind, accepting_quantity_, Reason::none);
    }

    void close() {
        closed_ = true;
        std::vector<std::uint32_t> open;
        for (const auto& [key, i] : orders_) {
            if (i != 0) open.push_back(i);
        }
        std::sort(open.begin(), open.end(), [&](auto a, auto b) { return venue_.orders()[a].key < venue_.orders()[b].key; });
        for (const std::uint32_t i : open) venue_.cancel(i, Ended::closed);
    }

    // --- what happens to our orders ---

    void on_fill(std::uint32_t i, Lots quantity, std::int64_t price_half_ticks, Liquidity liquidity) {
        accept();
        const World& world = venue_.world(0);
        const bool is_new_volume = world.taken > taken_printed_;
        taken_printed_ = world.taken;
        say(venue_.orders()[i].key, ReportKind::fill, quantity, Reason::none, price_half_ticks, liquidity, is_new_volume);
        if (is_new_volume) print(price_half_ticks, quantity);
    }

    void on_done(std::uint32_t i, Lots returned, Ended why) {
        const std::uint64_t key = venue_.orders()[i].key;
        orders_[key] = 0;
        venue_.orders().recycle(i);
        switch (why) {
            case Ended::filled: return;
            case Ended::cancelled:
                accepting_ = ReportKind::rejected;
                return say(key, ReportKind::cancelled, returned, Reason::asked);
            case Ended::unfilled: accept(); return say(key, ReportKind::cancelled, returned, Reason::unfilled);
            case Ended::would_take: return refuse(key, returned, Reason::would_take);
            case Ended::halted: return refuse(key, returned, Reason::halted);
            case Ended::closed: return say(key, ReportKind::expired, returned, Reason::closed);
        }
    }

    void refuse(std::uint64_t key, Lots returned, Reason reason) {
        accepting_ = ReportKind::rejected;
        say(key, ReportKind::rejected, returned, reason);
    }

    void say(std::uint64_t key, ReportKind kind, Lots quantity, Reason reason, std::int64_t price_half_ticks = 0,
             Liquidity liquidity = Liquidity::added, bool is_new_volume = false) {
        reports_.push_back({now_, now_ + config_.report_delay, key, quantity, price_half_ticks, venue_.best_price(Side::buy),
                            venue_.best_price(Side::sell), kind, reason, liquidity, is_new_volume, {}});
        stop_ = std::min(stop_, reports_.front().received_time);
    }

    const Tape& tape_;
    InteractiveConfig config_;
    Venue venue_;
    Nanoseconds now_, close_;
    Nanoseconds base_ = 0, stop_ = 0, integrated_to_ = 0;
    std::uint32_t next_row_ = 0;
    bool closed_ = false;
    bool instant_open_ = false;  // rows were applied since the last integration
    Snapshot counters_{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, no_price, 0, 0, 0, 0, false, false};
    Lots taken_printed_ = 0;
    std::priority_queue<Request> requests_;
    std::uint64_t calls_ = 0;
    std::unordered_map<std::uint64_t, std::uint32_t> orders_;  // every key seen; 0 = ended
    std::deque<Report> reports_;  // by received time: the delay is the same for all
    ReportKind accepting_ = ReportKind::rejected;  // what accept() has to say; rejected = nothing
    std::uint64_t accepting_key_ = 0;
    Lots accepting_quantity_ = 0;
};

}  // namespace

Nanoseconds advance_together(const std::vector<InteractiveReplay*>& replays, Nanoseconds until,
                             std::vector<std::vector<Report>>& received) {
    received.resize(replays.size());
    if (replays.size() == 1) {
        received[0] = replays[0]->advance(until);
        return replays[0]->now();
    }
    while (true) {
        Nanoseconds time = until;
        for (const InteractiveReplay* replay : replays) time = std::min(time, replay->next_time());
        bool heard = false;
        for (std::size_t i = 0; i < replays.size(); ++i) {
            received[i] = replays[i]->advance(time);
            heard = heard || !received[i].empty();
        }
        if (heard || time >= until) return time;
    }
}

std::unique_ptr<InteractiveReplay> InteractiveReplay::create(const Tape& tape, const InteractiveConfig& config) {
    if (tape.flavour() == Flavour::l3) return std::make_unique<Desk<BookL3>>(tape, config);
    return std::make_unique<Desk<BookL2>>(tape, config);
}

}  // namespace bestex
