// What each world has taken from liquidity that still stands on the tape.
//
// The tape never changes, so a world remembers what it took: a claim on one tape order (L3) or one level (L2), cut when
// the tape takes or cancels there, gone when nothing is left. Every claim is in two lists: its world's, walked when the
// world looks at a queue, and its target's, walked when the tape's row hits it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "bestex/types.hpp"
#include "bestex/zeroed_array.hpp"

namespace bestex {

class Claims {
public:
    Claims(std::size_t targets, std::size_t worlds) : of_target_(targets), of_world_(worlds), claims_(1) {}

    bool any(std::uint32_t target) const { return of_target_[target] != 0; }
    bool world_has_any(std::uint32_t world) const { return of_world_[world] != 0; }

    Lots taken(std::uint32_t world, std::uint32_t target) const {
        for (std::uint32_t i = of_world_[world]; i != 0; i = claims_[i].world_next) {
            if (claims_[i].target == target) return claims_[i].quantity;
        }
        return 0;
    }

    void take(std::uint32_t world, std::uint32_t target, Lots quantity) {
        for (std::uint32_t i = of_world_[world]; i != 0; i = claims_[i].world_next) {
            if (claims_[i].target == target) {
                claims_[i].quantity += quantity;
                return;
            }
        }
        std::uint32_t i = free_;
        if (i != 0) {
            free_ = claims_[i].world_next;
        } else {
            i = static_cast<std::uint32_t>(claims_.size());
            claims_.push_back({});
        }
        claims_[i] = {quantity, target, world, of_target_[target], of_world_[world], 0};
        if (of_world_[world] != 0) claims_[of_world_[world]].world_prev = i;
        of_target_[target] = of_world_[world] = i;
    }

    // Every claim on the target becomes change(claim's quantity); a claim of 0 ends. report(world, what it lost).
    template <class Change, class Report>
    void shrink(std::uint32_t target, Change&& change, Report&& report) {
        std::uint32_t* link = &of_target_[target];
        while (*link != 0) {
            const std::uint32_t i = *link;
            Claim& claim = claims_[i];
            const Lots kept = change(claim.quantity);
            if (kept < claim.quantity) report(claim.world, claim.quantity - kept);
            claim.quantity = kept;
            if (kept > 0) {
                link = &claim.target_next;
                continue;
            }
            *link = claim.target_next;
            if (claim.world_prev != 0) {
                claims_[claim.world_prev].world_next = claim.world_next;
            } else {
                of_world_[claim.world] = claim.world_next;
            }
            if (claim.world_next != 0) claims_[claim.world_next].world_prev = claim.world_prev;
            claim.world_next = free_;
            free_ = i;
        }
    }

private:
    struct Claim {
        Lots quantity;
        std::uint32_t target, world;
        std::uint32_t target_next;
        std::uint32_t world_next, world_prev;  // world_next also links the free claims
    };

    ZeroedArray<std::uint32_t> of_target_;  // first claim, 0 = none
    ZeroedArray<std::uint32_t> of_world_;
    std::vector<Claim> claims_;             // [0] is nobody's
    std::uint32_t free_ = 0;
};

}  // namespace bestex
