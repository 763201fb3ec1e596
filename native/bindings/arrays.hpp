// Arrays across the boundary: bytes in (a structured NumPy array seen as rows of bytes), owned bytes out.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace bestex::bindings {

using Bytes = nanobind::ndarray<const std::uint8_t, nanobind::ndim<2>, nanobind::c_contig, nanobind::device::cpu>;
using OwnedBytes = nanobind::ndarray<nanobind::numpy, std::uint8_t, nanobind::ndim<2>>;

// Copies the rows: a feed's array may have any alignment.
template <class T>
std::vector<T> rows_from(const Bytes& bytes, const char* name) {
    if (bytes.shape(1) != sizeof(T)) {
        throw nanobind::value_error((std::string(name) + " must have rows of " + std::to_string(sizeof(T)) + " bytes, not " +
                                     std::to_string(bytes.shape(1)))
                                        .c_str());
    }
    std::vector<T> rows(bytes.shape(0));
    if (!rows.empty()) std::memcpy(static_cast<void*>(rows.data()), bytes.data(), rows.size() * sizeof(T));
    return rows;
}

template <class T>
OwnedBytes rows_to(std::vector<T>&& rows) {
    auto* kept = new std::vector<T>(std::move(rows));
    nanobind::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
    return OwnedBytes(reinterpret_cast<std::uint8_t*>(kept->data()), {kept->size(), sizeof(T)}, owner);
}

}  // namespace bestex::bindings
