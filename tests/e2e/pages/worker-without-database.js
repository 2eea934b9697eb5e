// The worker of the package, in a browser whose database is of no use.
import "./no-database.js";
import "/bare/authsafe/dist/worker.js";
