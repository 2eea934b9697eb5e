// The worker of the package, in a browser that denies its database.
import "./no-database.js";
import "/bare/authsafe/dist/worker.js";
