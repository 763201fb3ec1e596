// The tape: one instrument's day of market data, immutable, 16 bytes a row, classified when it is built.
//
// Two flavours share row numbers. On an L3 tape `order` is the order's slot (dense, last freed first used) and the
// book is exact. On an L2 tape `order` is what the level shows after the row, and a trade is merged with its depth row.
// Prices are levels: ticks above the tape's lowest price, less one, so that level 0 and the last level stay empty and
// an own order priced outside the tape still has a place. Hidden executions may lie on a half tick.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bestex/level_set.hpp"
#include "bestex/types.hpp"

namespace bestex {

enum class Flavour : std::uint8_t { l2 = 2, l3 = 3 };

enum class RowKind : std::uint8_t {
    time = 0,     // a new time base: order and quantity hold its low and high 32 bits
    add,          // L3: a new order. L2: the level grew by quantity
    cancel,       // L3: the order shrank. L2: the level shrank
    cancel_last,  // nothing of the order (L3) or of the level (L2) is left
    fill,         // as cancel, by a trade
    fill_last,
    hidden,       // a hidden order traded: the displayed book is unchanged; order = 1 adds half a tick to the price
    print,        // L2 only: a trade whose effect on the book comes as separate rows, or not at all
    cross,        // an auction or cross printed; order = 1 adds half a tick to the price
    halt,
    resume,
};
constexpr std::uint8_t row_kinds = 11;

struct Row {
    std::uint32_t time;      // ns since the last time row
    std::uint32_t order;
    std::uint32_t quantity;  // lots
    std::uint16_t level_low;
    RowKind kind;
    std::uint8_t side_and_level_high;  // bit 0: resting side; bits 1-7: bits 16-22 of the level

    Side side() const { return static_cast<Side>(side_and_level_high & 1); }
    std::uint32_t stored_level() const { return level_low | std::uint32_t{side_and_level_high} >> 1 << 16; }
    Nanoseconds time_base() const { return static_cast<Nanoseconds>(std::uint64_t{quantity} << 32 | order); }
};
static_assert(sizeof(Row) == 16);

// What data looks like before it is a tape (the layouts of bestex.native.rows).
struct L3Row {
    Nanoseconds time;
    std::uint64_t order_id;
    std::int32_t price_half_ticks;
    std::int32_t quantity;
    std::uint8_t kind, side, pad[6];
};
static_assert(sizeof(L3Row) == 32);

struct L2Row {
    Nanoseconds time;
    std::int32_t price_half_ticks;
    std::int32_t quantity;
    std::int64_t level_quantity;
    std::uint8_t kind, side, pad[6];
};
static_assert(sizeof(L2Row) == 32);

enum class SourceKind : std::uint8_t { add = 1, cancel = 2, fill = 3, hidden = 4, cross = 5, halt = 6, resume = 7 };

// The first page of the file. Text fields end with a zero byte. Bound to this machine's byte order (little-endian).
struct TapeHeader {
    char magic[8];
    std::uint32_t version;
    std::uint32_t header_bytes;
    std::uint64_t row_count;      // 16-byte rows, time rows included
    std::uint64_t source_rows;    // rows it was built from
    std::uint64_t row_checksum;
    Nanoseconds first_time, last_time;
    Ticks level_zero;             // price of level 0
    std::uint32_t stored_level_zero;  // subtract from a row's stored level
    std::uint32_t levels;
    std::uint32_t slots;          // most orders alive at once; 0 on an L2 tape
    std::uint32_t flavour;
    std::uint64_t adds, cancels, fills, hidden_fills, prints, crosses, halts;
    std::uint64_t traded_lots;    // fills, hidden fills and prints
    std::uint64_t crossed_quotes, locked_quotes;  // instants that ended with bid > ask, bid == ask
    char instrument_id[128];
    char tick_size[32];
    char lot_size[32];
    char day[16];                 // ISO date, UTC day of the first row unless given
    std::uint64_t header_checksum;  // of everything above
};
constexpr std::size_t tape_header_bytes = 4096;
static_assert(sizeof(TapeHeader) <= tape_header_bytes);

// A tape or its source cannot be read. `field` and `value` name the culprit; empty when it is the file as a whole.
struct TapeError : std::runtime_error {
    TapeError(const std::string& message, std::string field, std::string value)
        : std::runtime_error(message), field(std::move(field)), value(std::move(value)) {}
    std::string field, value;
};

struct TapeMetadata {
    std::string instrument_id, tick_size, lot_size, day;
    bool refuse_crossed = false;  // else crossed and locked quotes are counted
};

// Builds a tape from rows in time order, holding only the live orders. The file appears under its name when it is
// finished, never half written.
class TapeBuilder {
public:
    TapeBuilder(const std::string& path, const TapeMetadata& metadata, Flavour flavour);
    ~TapeBuilder();
    void add(const L3Row* rows, std::size_t count);
    void add(const L2Row* rows, std::size_t count);
    TapeHeader finish();

    struct State;

private:
    std::unique_ptr<State> state_;
};

// An open tape: mapped, checked once, and shared by every replay of it.
class Tape {
public:
    // Raises TapeError when the file is no tape, of another version, truncated, or its checksum differs.
    explicit Tape(const std::string& path);
    ~Tape();
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;

    const TapeHeader& header() const { return header_; }
    Flavour flavour() const { return static_cast<Flavour>(header_.flavour); }
    const Row* rows() const { return rows_; }
    std::uint32_t size() const { return static_cast<std::uint32_t>(header_.row_count); }

    Level level(const Row& row) const { return row.stored_level() - header_.stored_level_zero; }
    Ticks price(Level level) const { return header_.level_zero + level; }
    // Prices beyond the tape's go to the two levels at its ends, which no row uses.
    Level level_of(Ticks price) const;

    // Where to begin for all rows from `time` on: the start of a chunk, and the time base there.
    struct Start {
        std::uint32_t row;
        Nanoseconds base;
    };
    Start start_for(Nanoseconds time) const;

    // Tells the kernel that rows [from, to) will not be read again soon, so a day never becomes resident.
    void release(std::uint32_t from, std::uint32_t to) const;

private:
    void check_rows();

    struct Chunk {
        Nanoseconds base, first_time;
    };
    std::string path_;
    TapeHeader header_{};
    void* mapping_ = nullptr;
    std::size_t bytes_ = 0;
    const Row* rows_ = nullptr;
    std::vector<Chunk> chunks_;
};

// Rows between two releases: one megabyte.
constexpr std::uint32_t rows_per_chunk = 1u << 16;

std::uint64_t checksum(std::uint64_t seed, const void* data, std::size_t bytes);  // bytes: a multiple of 8

}  // namespace bestex
