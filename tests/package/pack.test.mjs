// What is published, as it is published: packed, installed in an application, and used there. In one file, because the
// package is packed in its own folder, and two at once would be in each other's way.
import "./packed/consumer.mjs";
import "./packed/page.mjs";
import "./packed/vite.mjs";
