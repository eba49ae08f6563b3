import { useIdleTimer } from "react-idle-timer";

export const useIdle = (onIdle) => useIdleTimer({ onIdle, timeout: 1_800_000, crossTab: true });
