// From feed rows to tape rows: checks every row, gives live orders dense slots, and says what each row does.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "bestex/order_index.hpp"
#include "bestex/tape.hpp"

namespace bestex {

namespace {

constexpr Level stored_levels = 1u << 23;
constexpr Nanoseconds offset_max = UINT32_MAX;
constexpr Nanoseconds time_last = Nanoseconds{1} << 62;

void put_text(char* field, std::size_t bytes, const std::string& text, const char* name) {
    if (text.empty() || text.size() >= bytes) {
        throw TapeError(std::string(name) + " must have 1 to " + std::to_string(bytes - 1) + " bytes", name, text);
    }
    std::memcpy(field, text.data(), text.size());
}

struct LiveOrder {
    std::uint32_t remaining;
    Level level;
    Side side;
};

}  // namespace

struct TapeBuilder::State {
    State(const std::string& target, const TapeMetadata& metadata, Flavour tape_flavour)
        : path(target), partial(target + ".partial"), flavour(tape_flavour), refuse_crossed(metadata.refuse_crossed),
          bids(stored_levels), asks(stored_levels) {
        put_text(header.instrument_id, sizeof header.instrument_id, metadata.instrument_id, "instrument_id");
        put_text(header.tick_size, sizeof header.tick_size, metadata.tick_size, "tick_size");
        put_text(header.lot_size, sizeof header.lot_size, metadata.lot_size, "lot_size");
        if (!metadata.day.empty()) put_text(header.day, sizeof header.day, metadata.day, "day");
        file = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (file < 0) throw TapeError("tape " + path + ": cannot be written: " + std::strerror(errno), "path", path);
        buffer.reserve(rows_per_chunk);
        const std::vector<char> page(tape_header_bytes, 0);
        write_all(page.data(), page.size());
    }

    ~State() {
        if (file >= 0) {
            ::close(file);
            ::unlink(partial.c_str());
        }
    }

    [[noreturn]] void refuse(const char* field, long long value, const std::string& why) const {
        throw TapeError("row " + std::to_string(source_row) + ": " + field + " " + std::to_string(value) + " " + why, field,
                        std::to_string(value));
    }

    void write_all(const void* data, std::size_t bytes) {
        const auto* at = static_cast<const char*>(data);
        while (bytes > 0) {
            const ssize_t written = ::write(file, at, bytes);
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) throw TapeError("tape " + path + ": write failed: " + std::strerror(errno), "path", path);
            at += written;
            bytes -= static_cast<std::size_t>(written);
        }
    }

    void flush() {
        hash = checksum(hash, buffer.data(), buffer.size() * sizeof(Row));
        write_all(buffer.data(), buffer.size() * sizeof(Row));
        buffer.clear();
    }

    void push(const Row& row) {
        if (++rows == UINT32_MAX) throw TapeError("a tape holds at most 4,294,967,294 rows; split the day", "", "");
        buffer.push_back(row);
        if (buffer.size() == rows_per_chunk) flush();
    }

    void emit(RowKind kind, Side side, Level level, std::uint32_t order, std::uint32_t quantity) {
        push({static_cast<std::uint32_t>(now - base), order, quantity, static_cast<std::uint16_t>(level), kind,
              static_cast<std::uint8_t>(static_cast<unsigned>(side) | level >> 16 << 1)});
    }

    // Called with each row's time before anything else of it.
    void clock(Nanoseconds time) {
        if (time < 0 || time > time_last) refuse("time_ns", time, "is not between 1970 and 2116, in UTC nanoseconds");
        if (rows == 0) {
            header.first_time = time;
        } else if (time < now) {
            refuse("time_ns", time, "lies before the row above it (" + std::to_string(now) + "); rows must be in time order");
        } else if (time > now) {
            end_instant();
        }
        now = time;
        if (rows == 0 || time - base > offset_max) {
            base = time;
            const auto bits = static_cast<std::uint64_t>(time);
            push({0, static_cast<std::uint32_t>(bits), static_cast<std::uint32_t>(bits >> 32), 0, RowKind::time, 0});
        }
    }

    void end_instant() {
        const Level bid = bids.highest(), ask = asks.lowest();
        if (bid == no_level || ask == no_level || bid < ask) return;
        if (refuse_crossed) {
            throw TapeError("row " + std::to_string(source_row - 1) + ": the book is " + (bid > ask ? "crossed" : "locked") +
                                " after it: bid " + std::to_string(half_ticks(bid)) + " and ask " +
                                std::to_string(half_ticks(ask)) + " half ticks",
                            "price_half_ticks", std::to_string(half_ticks(bid)));
        }
        ++(bid > ask ? header.crossed_quotes : header.locked_quotes);
    }

    std::int64_t half_ticks(Level level) const { return 2 * (origin + level); }

    // The stored level of a price; sets `half` when it lies half a tick above it.
    Level level_of(std::int32_t price_half_ticks, bool half_allowed, std::uint32_t& half) {
        half = static_cast<std::uint32_t>(price_half_ticks & 1);
        if (half != 0 && !half_allowed) {
            refuse("price_half_ticks", price_half_ticks, "is odd; a displayed order stands on a whole tick");
        }
        const Ticks ticks = (price_half_ticks - static_cast<std::int32_t>(half)) / 2;
        if (!has_origin) {
            origin = ticks - Ticks{stored_levels / 2};
            has_origin = true;
        }
        const Ticks at = ticks - origin;
        if (at < 1 || at >= Ticks{stored_levels} - 2) {
            refuse("price_half_ticks", price_half_ticks, "is more than 4,194,302 ticks from the first price");
        }
        lowest = std::min(lowest, static_cast<Level>(at));
        highest = std::max(highest, static_cast<Level>(at) + half);
        return static_cast<Level>(at);
    }

    Side side_of(std::uint8_t side) const {
        if (side > 1) refuse("side", side, "is neither 0 (bid) nor 1 (ask)");
        return static_cast<Side>(side);
    }

    std::uint32_t positive(std::int32_t quantity) const {
        if (quantity <= 0) refuse("quantity", quantity, "must be positive");
        return static_cast<std::uint32_t>(quantity);
    }

    LevelSet& levels(Side side) { return side == Side::buy ? bids : asks; }

    // Lots a level shows now. Refuses what does not fit the row.
    void set_level(Side side, Level level, std::uint64_t lots) {
        if (lots > UINT32_MAX) refuse("level_quantity", static_cast<long long>(lots), "is more than 4,294,967,295 lots");
        std::uint32_t& shown = displayed[static_cast<unsigned>(side)][level];
        if (shown == 0 && lots > 0) levels(side).insert(level);
        if (shown > 0 && lots == 0) levels(side).erase(level);
        shown = static_cast<std::uint32_t>(lots);
    }

    void add(const L3Row& row) {
        clock(row.time);
        switch (static_cast<SourceKind>(row.kind)) {
            case SourceKind::add: return add_order(row);
            case SourceKind::cancel: return reduce(row, false);
            case SourceKind::fill: return reduce(row, true);
            default: return add_other(row, row.side);
        }
    }

    // Rows both feeds have: they leave the displayed book alone.
    template <class SourceRow>
    void add_other(const SourceRow& row, std::uint8_t resting_side) {
        std::uint32_t half = 0;
        switch (static_cast<SourceKind>(row.kind)) {
            case SourceKind::hidden: {
                const Side side = side_of(resting_side);
                const std::uint32_t quantity = positive(row.quantity);
                const Level level = level_of(row.price_half_ticks, true, half);
                emit(RowKind::hidden, side, level, half, quantity);
                ++header.hidden_fills;
                header.traded_lots += quantity;
                return;
            }
            case SourceKind::cross: {
                const std::uint32_t quantity = positive(row.quantity);
                const Level level = level_of(row.price_half_ticks, true, half);
                emit(RowKind::cross, Side::buy, level, half, quantity);
                ++header.crosses;
                return;
            }
            case SourceKind::halt:
            case SourceKind::resume: {
                const bool halts = static_cast<SourceKind>(row.kind) == SourceKind::halt;
                emit(halts ? RowKind::halt : RowKind::resume, Side::buy, 0, 0, 0);
                header.halts += halts;
                return;
            }
            default: refuse("kind", row.kind, "is not a kind of row");
        }
    }

    void add_order(const L3Row& row) {
        const Side side = side_of(row.side);
        const std::uint32_t quantity = positive(row.quantity);
        std::uint32_t half = 0;
        const Level level = level_of(row.price_half_ticks, false, half);
        if (index.find(row.order_id) != OrderIndex::absent) {
            throw TapeError("row " + std::to_string(source_row) + ": order_id " + std::to_string(row.order_id) +
                                " is already in the book",
                            "order_id", std::to_string(row.order_id));
        }
        std::uint32_t slot;
        if (free_slots.empty()) {
            slot = static_cast<std::uint32_t>(orders.size());
            orders.push_back({});
        } else {
            slot = free_slots.back();
            free_slots.pop_back();
        }
        index.insert(row.order_id, slot);
        orders[slot] = {quantity, level, side};
        set_level(side, level, std::uint64_t{displayed[row.side][level]} + quantity);
        emit(RowKind::add, side, level, slot, quantity);
        ++header.adds;
    }

    void reduce(const L3Row& row, bool traded) {
        const std::uint32_t quantity = positive(row.quantity);
        const std::uint32_t slot = index.find(row.order_id);
        if (slot == OrderIndex::absent) {
            throw TapeError("row " + std::to_string(source_row) + ": order_id " + std::to_string(row.order_id) +
                                " is not in the book; it was never added, or has ended",
                            "order_id", std::to_string(row.order_id));
        }
        LiveOrder& order = orders[slot];
        if (side_of(row.side) != order.side) refuse("side", row.side, "is not the side of that order");
        if (row.price_half_ticks != half_ticks(order.level)) {
            refuse("price_half_ticks", row.price_half_ticks,
                   "is not the price of that order, " + std::to_string(half_ticks(order.level)));
        }
        if (quantity > order.remaining) {
            refuse("quantity", quantity, "is more than the " + std::to_string(order.remaining) + " lots left of that order");
        }
        order.remaining -= quantity;
        const bool ends = order.remaining == 0;
        set_level(order.side, order.level, displayed[row.side][order.level] - quantity);
        emit(traded ? (ends ? RowKind::fill_last : RowKind::fill) : (ends ? RowKind::cancel_last : RowKind::cancel),
             order.side, order.level, slot, quantity);
        if (ends) {
            index.erase(row.order_id);
            free_slots.push_back(slot);
        }
        ++(traded ? header.fills : header.cancels);
        if (traded) header.traded_lots += quantity;
    }

    void add(const L2Row& row) {
        if (pending && !(row.kind == 1 && row.time == trade.time && row.price_half_ticks == trade.price_half_ticks &&
                         row.side != trade.side)) {
            print_pending();
        }
        clock(row.time);
        if (row.kind == 1) return depth(row);
        if (row.kind == 2) {
            side_of(row.side);
            positive(row.quantity);
            trade = row;
            pending = true;
            return;
        }
        add_other(row, static_cast<std::uint8_t>(row.side ^ (row.side <= 1)));
    }

    void depth(const L2Row& row) {
        const Side side = side_of(row.side);
        if (row.level_quantity < 0) refuse("level_quantity", row.level_quantity, "is negative");
        std::uint32_t half = 0;
        const Level level = level_of(row.price_half_ticks, false, half);
        const std::uint64_t before = displayed[row.side][level];
        const auto after = static_cast<std::uint64_t>(row.level_quantity);
        const bool merged = pending && after + static_cast<std::uint64_t>(trade.quantity) <= before;
        if (pending && !merged) print_pending();
        pending = false;
        set_level(side, level, after);
        const auto shown = static_cast<std::uint32_t>(after);
        if (after > before) {
            emit(RowKind::add, side, level, shown, shown - static_cast<std::uint32_t>(before));
            ++header.adds;
            return;
        }
        auto left = static_cast<std::uint32_t>(before);
        if (merged) {
            const auto traded = static_cast<std::uint32_t>(trade.quantity);
            left -= traded;
            emit(left == 0 ? RowKind::fill_last : RowKind::fill, side, level, left, traded);
            ++header.fills;
            header.traded_lots += traded;
        }
        if (left > shown) {
            emit(shown == 0 ? RowKind::cancel_last : RowKind::cancel, side, level, shown, left - shown);
            ++header.cancels;
        }
    }

    // A trade without its depth row. Its time is the clock's: it was the last row seen.
    void print_pending() {
        pending = false;
        std::uint32_t half = 0;
        const Level level = level_of(trade.price_half_ticks, true, half);
        const auto quantity = static_cast<std::uint32_t>(trade.quantity);
        emit(RowKind::print, opposite(static_cast<Side>(trade.side)), level, half, quantity);
        ++header.prints;
        header.traded_lots += quantity;
    }

    TapeHeader finish() {
        if (pending) print_pending();
        if (rows == 0) throw TapeError("there is no row to build a tape from", "", "");
        end_instant();
        flush();
        std::memcpy(header.magic, "BESTEXTP", 8);
        header.version = 1;
        header.header_bytes = tape_header_bytes;
        header.row_count = rows;
        header.source_rows = source_row;
        header.row_checksum = hash;
        header.last_time = now;
        header.flavour = static_cast<std::uint32_t>(flavour);
        header.slots = static_cast<std::uint32_t>(orders.size());
        if (lowest > highest) lowest = highest = 1;  // no row had a price
        header.stored_level_zero = lowest - 1;
        header.level_zero = origin + lowest - 1;
        header.levels = highest - lowest + 3;
        if (header.day[0] == 0) {
            const std::time_t seconds = static_cast<std::time_t>(header.first_time / 1'000'000'000);
            std::tm utc{};
            ::gmtime_r(&seconds, &utc);
            std::strftime(header.day, sizeof header.day, "%Y-%m-%d", &utc);
        }
        header.header_checksum = checksum(1, &header, offsetof(TapeHeader, header_checksum));
        char page[sizeof header];
        std::memcpy(page, &header, sizeof header);
        if (::pwrite(file, page, sizeof page, 0) != static_cast<ssize_t>(sizeof page) || ::fsync(file) != 0 ||
            ::close(std::exchange(file, -1)) != 0 || ::rename(partial.c_str(), path.c_str()) != 0) {
            throw TapeError("tape " + path + ": cannot be completed: " + std::strerror(errno), "path", path);
        }
        return header;
    }

    std::string path, partial;
    Flavour flavour;
    bool refuse_crossed;
    int file = -1;
    TapeHeader header{};
    std::vector<Row> buffer;
    std::uint64_t hash = 1;
    std::uint64_t rows = 0, source_row = 0;
    Nanoseconds now = 0, base = 0;

    bool has_origin = false;
    Ticks origin = 0;  // price of stored level 0
    Level lowest = no_level, highest = 0;
    LevelSet bids, asks;
    ZeroedArray<std::uint32_t> displayed[2] = {ZeroedArray<std::uint32_t>(stored_levels),
                                               ZeroedArray<std::uint32_t>(stored_levels)};

    OrderIndex index;
    std::vector<LiveOrder> orders;  // by slot
    std::vector<std::uint32_t> free_slots;

    L2Row trade{};
    bool pending = false;  // `trade` waits for its depth row
};

TapeBuilder::TapeBuilder(const std::string& path, const TapeMetadata& metadata, Flavour flavour)
    : state_(std::make_unique<State>(path, metadata, flavour)) {}

TapeBuilder::~TapeBuilder() = default;

// An error spends the builder: its half-written file goes at once.
template <class SourceRow>
static void add_all(std::unique_ptr<TapeBuilder::State>& state, const SourceRow* rows, std::size_t count) {
    if (!state) throw TapeError("this builder has finished or failed; start a new one", "", "");
    try {
        for (std::size_t i = 0; i < count; ++i, ++state->source_row) state->add(rows[i]);
    } catch (...) {
        state.reset();
        throw;
    }
}

void TapeBuilder::add(const L3Row* rows, std::size_t count) { add_all(state_, rows, count); }

void TapeBuilder::add(const L2Row* rows, std::size_t count) { add_all(state_, rows, count); }

TapeHeader TapeBuilder::finish() {
    if (!state_) throw TapeError("this builder has finished or failed; start a new one", "", "");
    const auto state = std::move(state_);
    return state->finish();
}

}  // namespace bestex
