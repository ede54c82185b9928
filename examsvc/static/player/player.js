/** The exam player: fills the server's page (docs/formats/player-protocol.md, section 1). */

import { App } from "./app.js";

new App(document.getElementById("player")).open();
