// The worker of the package, which the test stops where it likes, on a clock that the test moves.
import "./stops.js";
import "./worker-clock.js";
import "/bare/authsafe/dist/worker.js";
