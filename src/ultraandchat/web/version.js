/**
 * Whether this page and the server that it talks to belong together: a page may stay open while its server is
 * replaced. Pure: `view/version.js` shows it.
 *
 * @import {Config} from "./config.js"
 */
import { PROTOCOL_VERSION } from "./wire.js";

/** @typedef {{page: string, config: Config | null}} Versions `page`: of the files this page was loaded of */

/** The server has other files of the page by now. They may be loaded at leisure. @param {Versions} versions */
export function outdated({ page, config }) {
  return page !== "" && Boolean(config?.page) && config?.page !== page;
}

/** They do not understand each other: there is no talk before the page is loaded again. @param {Versions} versions */
export function foreign({ config }) {
  return config !== null && config.protocol !== PROTOCOL_VERSION;
}
