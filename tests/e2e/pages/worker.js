// The worker of the package, on a clock that the test moves.
import "./worker-clock.js";
import "/bare/authsafe/dist/worker.js";
