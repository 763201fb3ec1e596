// Tapes for Python: build, open, look back. Errors become `_core.TapeError(message, field, value)`.
#include "bestex/tape.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "arrays.hpp"
#include "bestex/history.hpp"
#include "tape.hpp"

namespace nb = nanobind;
using namespace bestex;
using bestex::bindings::Bytes;

namespace {

std::string text(const char* field, std::size_t bytes) { return {field, strnlen(field, bytes)}; }

nb::dict metadata(const TapeHeader& h) {
    nb::dict d;
    d["instrument_id"] = text(h.instrument_id, sizeof h.instrument_id);
    d["tick_size"] = text(h.tick_size, sizeof h.tick_size);
    d["lot_size"] = text(h.lot_size, sizeof h.lot_size);
    d["day"] = text(h.day, sizeof h.day);
    d["level"] = h.flavour;
    d["rows"] = h.row_count;
    d["source_rows"] = h.source_rows;
    d["checksum"] = h.row_checksum;
    d["first_time_ns"] = h.first_time;
    d["last_time_ns"] = h.last_time;
    d["lowest_price_ticks"] = h.level_zero + 1;
    d["highest_price_ticks"] = h.level_zero + Ticks{h.levels} - 2;
    d["orders_live_max"] = h.slots;
    d["adds"] = h.adds;
    d["cancels"] = h.cancels;
    d["fills"] = h.fills;
    d["hidden_fills"] = h.hidden_fills;
    d["prints"] = h.prints;
    d["crosses"] = h.crosses;
    d["halts"] = h.halts;
    d["traded_lots"] = h.traded_lots;
    d["crossed_quotes"] = h.crossed_quotes;
    d["locked_quotes"] = h.locked_quotes;
    return d;
}

}  // namespace

void register_tape(nb::module_& m) {
    static PyObject* tape_error = PyErr_NewException("bestex.native._core.TapeError", PyExc_ValueError, nullptr);
    m.attr("TapeError") = nb::borrow(tape_error);
    nb::register_exception_translator([](const std::exception_ptr& p, void*) {
        try {
            std::rethrow_exception(p);
        } catch (const TapeError& e) {
            PyErr_SetObject(tape_error, nb::make_tuple(e.what(), e.field, e.value).ptr());
        }
    });

    nb::class_<TapeBuilder>(m, "TapeBuilder")
        .def(
            "__init__",
            [](TapeBuilder* self, const std::string& path, const std::string& instrument_id, const std::string& tick_size,
               const std::string& lot_size, const std::string& day, int level, bool refuse_crossed) {
                if (level != 2 && level != 3) throw nb::value_error("level must be 2 or 3");
                new (self) TapeBuilder(path, {instrument_id, tick_size, lot_size, day, refuse_crossed}, static_cast<Flavour>(level));
            },
            nb::kw_only(), nb::arg("path"), nb::arg("instrument_id"), nb::arg("tick_size"), nb::arg("lot_size"),
            nb::arg("day"), nb::arg("level"), nb::arg("refuse_crossed"))
        // The lock is kept: two threads must not add to one builder at once.
        .def("add_l3", [](TapeBuilder& self, const Bytes& bytes) {
            const auto rows = bindings::rows_from<L3Row>(bytes, "L3 rows");
            self.add(rows.data(), rows.size());
        })
        .def("add_l2", [](TapeBuilder& self, const Bytes& bytes) {
            const auto rows = bindings::rows_from<L2Row>(bytes, "L2 rows");
            self.add(rows.data(), rows.size());
        })
        .def("finish", [](TapeBuilder& self) { self.finish(); });

    nb::class_<Tape>(m, "Tape")
        .def(
            "__init__",
            [](Tape* self, const std::string& path) {
                nb::gil_scoped_release release;
                new (self) Tape(path);
            },
            nb::arg("path"))
        .def("metadata", [](const Tape& self) { return metadata(self.header()); })
        .def(
            "quotes",
            [](const Tape& self, Nanoseconds start, Nanoseconds end, std::size_t limit, bool every_row) {
                std::vector<QuoteRow> found;
                {
                    nb::gil_scoped_release release;
                    found = quotes_between(self, start, end, limit, every_row ? QuoteStep::row : QuoteStep::instant);
                }
                return bindings::rows_to(std::move(found));
            },
            nb::arg("start_ns"), nb::arg("end_ns"), nb::arg("limit"), nb::arg("every_row"))
        .def(
            "trades",
            [](const Tape& self, Nanoseconds start, Nanoseconds end, std::size_t limit) {
                std::vector<TradeRow> found;
                {
                    nb::gil_scoped_release release;
                    found = trades_between(self, start, end, limit);
                }
                return bindings::rows_to(std::move(found));
            },
            nb::arg("start_ns"), nb::arg("end_ns"), nb::arg("limit"));
}
