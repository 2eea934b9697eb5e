// The worker of the package, in a browser whose database never answers, on a clock that the test moves.
import "./silent-database.js";
import "./worker-clock.js";
import "/bare/authsafe/dist/worker.js";
