// A browser without Web Locks.
const navigators = globalThis.Navigator ?? globalThis.WorkerNavigator;
delete navigators.prototype.locks;
