// The worker of the package, in a browser without Web Locks, on a clock that the test moves.
import "./no-locks.js";
import "./worker-clock.js";
import "/bare/authsafe/dist/worker.js";
