// Random numbers by (key, counter): draw n of a stream is the same whatever was drawn before or elsewhere.
// Source: Steele, Lea, Flood (2014), "Fast splittable pseudorandom number generators" (SplitMix64), used by position.
#pragma once

#include <cmath>
#include <cstdint>

namespace bestex::generated {

constexpr std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

class CounterRandom {
public:
    CounterRandom(std::uint64_t seed, std::uint64_t stream) : key_(mixed(seed ^ mixed(stream + 0x9E3779B97F4A7C15ull))) {}

    std::uint64_t bits(std::uint64_t counter) const { return mixed(key_ + (counter + 1) * 0x9E3779B97F4A7C15ull); }

    // In (0, 1): never 0, so that its logarithm is finite.
    double uniform(std::uint64_t counter) const {
        return (static_cast<double>(bits(counter) >> 11) + 0.5) * 0x1.0p-53;
    }
    double exponential(std::uint64_t counter) const { return -std::log(uniform(counter)); }
    // Box-Muller; uses counters 2n and 2n + 1 of the stream.
    double normal(std::uint64_t counter) const {
        return std::sqrt(-2.0 * std::log(uniform(2 * counter))) * std::cos(6.283185307179586 * uniform(2 * counter + 1));
    }

private:
    std::uint64_t key_;
};

}  // namespace bestex::generated
