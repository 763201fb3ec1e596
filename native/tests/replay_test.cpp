// Small tapes through the builder, the books and the replay, for the sanitizers. Plain asserts.
#undef NDEBUG
#include <cassert>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "bestex/interactive.hpp"
#include "bestex/level_set.hpp"
#include "bestex/order_index.hpp"
#include "bestex/quote_watches.hpp"
#include "bestex/replay.hpp"
#include "bestex/tape.hpp"

using namespace bestex;

namespace {

void a_level_set_finds_its_ends_and_neighbours() {
    LevelSet set(1'000'000);
    assert(set.highest() == no_level && set.lowest() == no_level);
    for (const Level level : {7u, 64u, 4095u, 4096u, 300'000u, 999'999u}) set.insert(level);
    assert(set.lowest() == 7 && set.highest() == 999'999);
    assert(set.above(7) == 64 && set.above(64) == 4095 && set.above(4096) == 300'000 && set.above(999'999) == no_level);
    assert(set.below(999'999) == 300'000 && set.below(300'000) == 4096 && set.below(64) == 7 && set.below(7) == no_level);
    set.erase(999'999);
    set.erase(7);
    assert(set.lowest() == 64 && set.highest() == 300'000);
    set.clear();
    assert(set.lowest() == no_level && set.above(0) == no_level && !set.contains(64));
}

void an_order_index_survives_many_inserts_and_erases() {
    OrderIndex index;
    std::mt19937_64 random(5);
    std::vector<std::uint64_t> ids;
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        const std::uint64_t id = random();
        index.insert(id, i);
        ids.push_back(id);
        if (i % 3 == 2) index.erase(ids[i / 3]), ids[i / 3] = 0;
    }
    assert(!index.insert(ids.back(), 1) || ids.back() == 0);
    assert(index.erase(ids.front() + 1) == OrderIndex::absent);
    for (std::uint32_t i = 0; i < ids.size(); ++i) {
        if (ids[i] != 0) assert(index.find(ids[i]) == i);
    }
}

void a_quote_wakes_whom_it_concerns_once() {
    QuoteWatches watches;
    std::vector<std::uint32_t> woken;
    std::vector<bool> waits(8, true);
    const auto quote = [&](Ticks bid, Ticks ask) {
        woken.clear();
        watches.see(bid, ask, [&](QuoteWatches::Waiter waiter, Wake) {
            if (!waits[waiter.parent]) return false;
            waits[waiter.parent] = false;
            woken.push_back(waiter.parent);
            return true;
        });
    };
    watches.begin(100, 102);
    watches.wait({0, 0}, Side::buy, change_of(BestPrice::near), {});
    watches.wait({1, 0}, Side::sell, change_of(BestPrice::near), {});
    watches.wait({2, 0}, Side::buy, change_of(BestPrice::mid), {});
    watches.wait({3, 0}, Side::buy, 0, {200, BestPrice::far, false});   // the ask at or below 100
    watches.wait({4, 0}, Side::sell, 0, {204, BestPrice::far, true});   // the bid at or above 102
    watches.wait({5, 0}, Side::buy, 0, {207, BestPrice::mid, true});
    watches.wait({6, 0}, Side::buy, 0, {208, BestPrice::far, false});   // reached already: waits for the next change
    quote(100, 102);
    assert(woken.empty());
    quote(99, 103);  // the mid stands still
    assert((woken == std::vector<std::uint32_t>{6, 0, 1}));
    quote(99, no_price);
    assert((woken == std::vector<std::uint32_t>{2}));
    quote(102, 103);
    assert((woken == std::vector<std::uint32_t>{4}));
    quote(102, 105);
    assert((woken == std::vector<std::uint32_t>{5}));
    waits[3] = false;  // taken back
    watches.leave();
    assert(!watches.any());
    quote(98, 99);
    assert(woken.empty());
}

// A walk of adds, cancels and fills around level 1000, several rows at one time.
std::vector<L3Row> random_rows(std::uint64_t seed, std::size_t count) {
    std::mt19937_64 random(seed);
    std::vector<L3Row> rows;
    std::vector<L3Row> live;
    Nanoseconds time = 1'700'000'000'000'000'000;
    for (std::uint64_t id = 1; rows.size() < count; ++id) {
        time += static_cast<Nanoseconds>(random() % 3 * 1'000'000);
        if (live.size() < 40 || random() % 2 == 0) {
            const auto side = static_cast<std::uint8_t>(random() % 2);
            const auto away = static_cast<std::int32_t>(random() % 12);
            const std::int32_t price = side == 0 ? 2000 - 2 * away : 2002 + 2 * away;
            const L3Row row{time, id, price, static_cast<std::int32_t>(1 + random() % 500), 1, side, {}};
            rows.push_back(row);
            live.push_back(row);
            continue;
        }
        const std::size_t i = random() % live.size();
        L3Row row = live[i];
        row.time = time;
        row.kind = static_cast<std::uint8_t>(2 + random() % 2);
        if (random() % 3 == 0) row.quantity = 1 + static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(row.quantity));
        rows.push_back(row);
        live[i].quantity -= row.quantity;
        if (live[i].quantity == 0) {
            live[i] = live.back();
            live.pop_back();
        }
    }
    return rows;
}

std::string built(const std::vector<L3Row>& rows) {
    const std::string path = "replay_test.tape";
    TapeBuilder builder(path, {"TEST", "0.01", "1", "", false}, Flavour::l3);
    builder.add(rows.data(), rows.size());
    builder.finish();
    return path;
}

void worlds_are_the_same_alone_and_together(const Tape& tape) {
    std::vector<double> even;
    for (int i = 1; i <= 20; ++i) even.push_back(i / 20.0);
    std::vector<ParentSpecification> parents;
    const Nanoseconds first = tape.header().first_time;
    for (std::uint32_t w = 0; w < 64; ++w) {
        const DecisionParameters parameters{static_cast<Algorithm>(w % 4), static_cast<ExecutionStyle>(w / 4 % 4),
                                            static_cast<Side>(w % 2), 3'000 + w, first + w * 1'000'000, first + 9'000'000'000,
                                            20, w % 3 == 0 ? Ticks{1000} : no_price, w % 4 == 2 ? 0.2 : 1.0, unlimited,
                                            {even}, w % 2 == 0};
        parents.push_back({w, parameters});
    }
    const ReplayConfig config{{1'000, 500'000, 2'000}, {-2'000, 3'000}, QueueModel::pro_rata, true};
    const auto together = Replay::create(tape, config, parents);
    while (together->advance(1'000)) {
    }
    std::int64_t fills = 0;
    std::uint64_t hash = 0;
    for (std::uint32_t w = 0; w < 64; ++w) {
        hash = hash * 0x100000001b3u ^ together->worlds()[w].fill_hash;
        ParentSpecification alone = parents[w];
        alone.world = 0;
        const auto pass = Replay::create(tape, config, {alone});
        while (pass->advance(100'000)) {
        }
        assert(pass->worlds()[0].fill_hash == together->worlds()[w].fill_hash);
        assert(pass->parents()[0].planned == pass->parents()[0].filled + pass->parents()[0].returned);
        fills += pass->worlds()[0].fills;
    }
    assert(fills > 64);
    // Integers only: the same at every level of optimisation and under the sanitizers.
    assert(hash == 0x13ea779b1592cf56u);
    std::printf("%lld fills in 64 worlds\n", static_cast<long long>(fills));
}

void an_interactive_world_gives_back_what_it_did_not_fill(const Tape& tape) {
    std::mt19937_64 random(3);
    const auto replay = InteractiveReplay::create(tape, {500, QueueModel::pro_rata, 0});
    std::vector<Lots> owed(400, 0);  // ordered, less what was filled or came back
    std::vector<bool> amended(owed.size(), false);
    const auto hear = [&](const std::vector<Report>& reports) {
        for (const Report& report : reports) {
            if (report.kind == ReportKind::amended) amended[report.key] = true;
            else if (report.kind != ReportKind::accepted) owed[report.key] -= report.quantity;
        }
    };
    std::uint64_t key = 0;
    while (!replay->snapshot().is_closed) {
        for (int i = 0; i < 2 && key < owed.size(); ++i, ++key) {
            const auto kind = static_cast<OrderKind>(random() % 5);
            const bool priced = kind != OrderKind::market && kind != OrderKind::midpoint;
            owed[key] = 1 + static_cast<Lots>(random() % 900);
            replay->submit(key, kind, static_cast<Side>(random() % 2), owed[key],
                           priced ? 985 + static_cast<Ticks>(random() % 30) : no_price, replay->now() + 100);
            if (key % 3 == 0) replay->cancel(key / 2, replay->now() + 5'000'000);
            if (key % 5 == 0) replay->amend(key / 2, 1 + static_cast<Lots>(random() % 900), no_price, replay->now() + 100);
        }
        hear(replay->advance(replay->now() + 20'000'000));
        replay->depth(Side::buy, 5);
        replay->open_order(key / 2);
    }
    hear(replay->advance(replay->now() + 1'000));
    for (std::uint64_t i = 0; i < key; ++i) {
        assert(replay->open_order(i).open == 0);
        assert(amended[i] || owed[i] == 0);
    }
}

void damage_is_refused(const std::vector<L3Row>& rows) {
    std::vector<L3Row> bad = rows;
    bad[100].time = 0;
    try {
        built(bad);
        assert(false);
    } catch (const TapeError& error) {
        assert(error.field == "time_ns");
    }
}

}  // namespace

int main() {
    a_level_set_finds_its_ends_and_neighbours();
    an_order_index_survives_many_inserts_and_erases();
    a_quote_wakes_whom_it_concerns_once();
    const std::vector<L3Row> rows = random_rows(11, 20'000);
    damage_is_refused(rows);
    const Tape tape(built(rows));
    worlds_are_the_same_alone_and_together(tape);
    an_interactive_world_gives_back_what_it_did_not_fill(tape);
    std::puts("ok");
}
