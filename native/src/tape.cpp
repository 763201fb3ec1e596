#include "bestex/tape.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

namespace bestex {

namespace {

constexpr char magic[8] = {'B', 'E', 'S', 'T', 'E', 'X', 'T', 'P'};
constexpr std::uint32_t version = 1;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
    throw TapeError("tape " + path + ": " + what, "", "");
}

}  // namespace

std::uint64_t checksum(std::uint64_t seed, const void* data, std::size_t bytes) {
    std::uint64_t hash = seed;
    const auto* at = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < bytes; i += 8) {
        std::uint64_t word;
        std::memcpy(&word, at + i, 8);
        hash = std::rotl(hash ^ word * 0x9E3779B97F4A7C15u, 29) * 0xBF58476D1CE4E5B9u;
    }
    return hash;
}

Tape::Tape(const std::string& path) : path_(path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) fail(path, std::string("cannot be opened: ") + std::strerror(errno));
    struct stat status {};
    ::fstat(file, &status);
    bytes_ = static_cast<std::size_t>(status.st_size);
    const bool has_header = bytes_ >= tape_header_bytes &&
                            ::pread(file, &header_, sizeof header_, 0) == static_cast<ssize_t>(sizeof header_);
    if (has_header) mapping_ = ::mmap(nullptr, bytes_, PROT_READ, MAP_PRIVATE, file, 0);
    ::close(file);
    if (!has_header) {
        fail(path, "is " + std::to_string(bytes_) + " bytes, too short for the header of " +
                       std::to_string(tape_header_bytes));
    }
    if (mapping_ == MAP_FAILED) {
        mapping_ = nullptr;
        fail(path, std::string("cannot be mapped: ") + std::strerror(errno));
    }
    try {
        if (std::memcmp(header_.magic, magic, sizeof magic) != 0) {
            fail(path, "is not a tape: its first 8 bytes are not BESTEXTP");
        }
        if (header_.version != version || header_.header_bytes != tape_header_bytes) {
            fail(path, "has version " + std::to_string(header_.version) + "; this build reads version " +
                           std::to_string(version) + ": build it again from its source");
        }
        if (checksum(version, &header_, offsetof(TapeHeader, header_checksum)) != header_.header_checksum) {
            fail(path, "is corrupted: the header's checksum differs");
        }
        const std::size_t expected = tape_header_bytes + header_.row_count * sizeof(Row);
        if (bytes_ != expected) {
            fail(path, "is " + std::to_string(bytes_) + " bytes, but its " + std::to_string(header_.row_count) +
                           " rows need " + std::to_string(expected) + ": truncated, or something was appended");
        }
        rows_ = reinterpret_cast<const Row*>(static_cast<const char*>(mapping_) + tape_header_bytes);
        check_rows();
    } catch (...) {
        ::munmap(mapping_, bytes_);
        throw;
    }
}

Tape::~Tape() {
    if (mapping_ != nullptr) ::munmap(mapping_, bytes_);
}

void Tape::check_rows() {
    std::uint64_t hash = version;
    Nanoseconds base = 0;
    for (std::uint32_t from = 0; from < size();) {
        const std::uint32_t to = std::min<std::uint64_t>(size(), std::uint64_t{from} + rows_per_chunk);
        hash = checksum(hash, rows_ + from, std::size_t{to - from} * sizeof(Row));
        const bool begins_with_time = rows_[from].kind == RowKind::time;
        chunks_.push_back({base, begins_with_time ? rows_[from].time_base() : base + rows_[from].time});
        for (std::uint32_t i = from; i < to; ++i) {
            const Row& row = rows_[i];
            if (row.kind == RowKind::time) base = row.time_base();
            const bool in_ladder = row.kind == RowKind::time || row.kind >= RowKind::halt || level(row) < header_.levels;
            const bool has_slot = flavour() == Flavour::l2 || row.kind < RowKind::add || row.kind > RowKind::fill_last ||
                                  row.order < header_.slots;
            if (static_cast<std::uint8_t>(row.kind) >= row_kinds || !in_ladder || !has_slot) {
                throw TapeError("tape " + path_ + ": row " + std::to_string(i) + " is corrupted", "row", std::to_string(i));
            }
        }
        release(from, to);
        from = to;
    }
    if (hash != header_.row_checksum) fail(path_, "is corrupted: the checksum of its rows differs");
}

Tape::Start Tape::start_for(Nanoseconds time) const {
    // The last chunk that begins before `time`: rows of that very time may end the chunk before.
    const auto after = std::partition_point(chunks_.begin(), chunks_.end(), [&](const Chunk& c) { return c.first_time < time; });
    const auto chunk = after == chunks_.begin() ? 0 : static_cast<std::uint32_t>(after - chunks_.begin() - 1);
    return {chunk * rows_per_chunk, chunks_[chunk].base};
}

Level Tape::level_of(Ticks price) const {
    const Ticks highest = header_.level_zero + header_.levels - 1;
    return static_cast<Level>(std::clamp(price, header_.level_zero, highest) - header_.level_zero);
}

void Tape::release(std::uint32_t from, std::uint32_t to) const {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t begin = (tape_header_bytes + std::size_t{from} * sizeof(Row)) / page * page;
    const std::size_t end = (tape_header_bytes + std::size_t{to} * sizeof(Row)) / page * page;
    if (end > begin) ::madvise(static_cast<char*>(mapping_) + begin, end - begin, MADV_DONTNEED);
}

}  // namespace bestex
