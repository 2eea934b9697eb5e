// A browser without BroadcastChannel.
delete globalThis.BroadcastChannel;
