// The worker of the package, in a browser without BroadcastChannel, on a clock that the test moves.
import "./no-channel.js";
import "./worker-clock.js";
import "/bare/authsafe/dist/worker.js";
