/** Follows the PAT and PMT of a transport stream and keeps the packets that a demuxer must see first. */

import { PAT_PID, type TransportPacket } from './packet.ts';
import { parseProgramAssociation, parseProgramMap, type ElementaryStream } from './program.ts';
import { SectionAssembler } from './section.ts';

/** The latest tables of a transport stream. */
export class ProgramTables {
  readonly #association = new SectionAssembler();
  #map = new SectionAssembler();
  #mapPid: number | undefined;
  #associationPackets = new Uint8Array();
  #mapPackets = new Uint8Array();
  #layout = '';

  /** PAT and PMT packets, verbatim. */
  get preamble(): Uint8Array {
    const preamble = new Uint8Array(this.#associationPackets.length + this.#mapPackets.length);
    preamble.set(this.#associationPackets);
    preamble.set(this.#mapPackets, this.#associationPackets.length);
    return preamble;
  }

  /** Takes a packet; returns the program's streams when they are new or have changed. */
  push(packet: TransportPacket, raw: Uint8Array): readonly ElementaryStream[] | undefined {
    if (packet.pid === PAT_PID) {
      this.#pushAssociation(packet, raw);
      return undefined;
    }
    return packet.pid === this.#mapPid ? this.#pushMap(packet, raw) : undefined;
  }

  #pushAssociation(packet: TransportPacket, raw: Uint8Array): void {
    const section = this.#association.push(packet, raw);
    const pid = section === undefined ? undefined : parseProgramAssociation(section.bytes);
    if (section === undefined || pid === undefined) {
      return;
    }
    this.#associationPackets = new Uint8Array(section.packets);
    if (pid !== this.#mapPid) {
      this.#mapPid = pid;
      this.#map = new SectionAssembler();
    }
  }

  #pushMap(packet: TransportPacket, raw: Uint8Array): readonly ElementaryStream[] | undefined {
    const section = this.#map.push(packet, raw);
    const streams = section === undefined ? undefined : parseProgramMap(section.bytes);
    if (section === undefined || streams === undefined) {
      return undefined;
    }
    this.#mapPackets = new Uint8Array(section.packets);
    const layout = `${this.#mapPid}/${streams.map((one) => `${one.pid}:${one.streamType}:${one.language}`).join()}`;
    const changed = layout !== this.#layout;
    this.#layout = layout;
    return changed ? streams : undefined;
  }
}
