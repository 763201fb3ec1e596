import { render } from "preact";

import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/tables.css";
import "./styles/dialogs.css";
import "./styles/desk.css";
import "./styles/ticket.css";
import "./styles/order.css";
import "./styles/after.css";
import { startDesk } from "./live/desk.ts";
import { Shell } from "./shell.tsx";

const place = document.getElementById("app");
if (place === null) throw new Error("index.html has no #app");
startDesk();
render(<Shell />, place);
