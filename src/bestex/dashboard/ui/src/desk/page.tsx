import { AlertRail } from "./alerts.tsx";
import { Blotter } from "./blotter.tsx";
import { Health } from "./health.tsx";
import { MarketStrip } from "./market.tsx";

/** What needs me now? */
export function Desk() {
  return (
    <main class="desk" id="main">
      <h1 class="sr">Desk</h1>
      <Blotter />
      <div class="side">
        <AlertRail />
        <MarketStrip />
        <Health />
      </div>
    </main>
  );
}
